package detect

import "testing"

func TestSoftwareOf(t *testing.T) {
	for agent, want := range map[string][2]string{
		"AcmeApp/5.4.0 (iOS 17.6; iPhone15,2)": {"AcmeApp", "5.4.0"},
		"okhttp/4.12.0":                        {"okhttp", "4.12.0"},
		"Acme App 5.4":                         {"Acme", "5.4"},
		"python-requests/2.32.3":               {"python-requests", "2.32.3"},
		"ExampleApp/4.12.0 (Android 14; Pixel 8) okhttp/4.12.0":                                                                                       {"ExampleApp", "4.12.0"},
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36":                             {"Chrome", "126.0.0.0"},
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.1":                 {"Edg", "126.0.1"},
		"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0":                                                                      {"Firefox", "128.0"},
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15":                       {"Safari", "17.5"},
		"Mozilla/5.0 (Linux; Android 14; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/143.0.0.0 Mobile Safari/537.36 ExampleApp/212": {"ExampleApp", "212"},
		"":     {"", ""},
		"((((": {"", ""},
	} {
		if family, version := softwareOf(agent); family != want[0] || version != want[1] {
			t.Errorf("%q is %q %q, want %q", agent, family, version, want)
		}
	}
}
