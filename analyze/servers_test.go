package analyze

import "testing"

func TestServerName(t *testing.T) {
	for _, all := range [][]string{
		{"logs/web1/access.log", "logs/web1/access.log.1", "logs/web1/access.log.12.gz", "logs/web1/access-20260102.log", "logs/web1/access.log-20260102.gz", "logs/web1/access.log.2026-01-02.zst", "logs/dt=2026-01-02/web1/access.log", "logs/web1/access_2026-01-02.log", "logs/web1/access.log-20260102-13.gz"},
		{"logs/web2/access.log", "logs/web2/access.log.old"},
		{"logs/web1.access.log", "logs/web1.access.log.2.gz"},
		{"logs/web2.access.log"},
		{"a/u_ex260102.log", "a/u_ex26010213.log"},
		{"access_log", "access_log.3"},
		{"localhost_access_log.2026-01-02.txt", "localhost_access_log.2026-01-03.txt"},
		{"10.0.0.7.log"},
		{"10.0.0.8.log", "10.0.0.8.log.1"},
		{"-"},
	} {
		for _, p := range all {
			if got := serverName(p); got != serverName(all[0]) {
				t.Errorf("%s is the log of %s, %s that of %s", p, got, all[0], serverName(all[0]))
			}
		}
	}
	seen := map[string]string{}
	for _, p := range []string{"logs/web1/access.log", "logs/web2/access.log", "logs/web1.access.log", "logs/web2.access.log", "10.0.0.7.log", "10.0.0.8.log", "-"} {
		if q, ok := seen[serverName(p)]; ok {
			t.Errorf("%s and %s have the same server %s", p, q, serverName(p))
		}
		seen[serverName(p)] = p
	}
}
