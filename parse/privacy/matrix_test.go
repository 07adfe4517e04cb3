package privacy

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// forms are credentials on their own; %s is the secret.
var forms = []string{
	"token=%s", "password=%s", "access_token=%s", "user[password]=%s", "api-key=%s", "X-Amz-Signature=%s", "PHPSESSID=%s", "code=%s", "client_secret=%s",
	"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.%s", "Bearer %s", "Basic %s", "bearer %s",
	"https://jane:%s@host.example/x", "//jane:%s@host.example/x", "postgres://jane:%s@db/x", "https://%s@host.example/",
	"ghp_%s", "glpat-%s", "xoxb-%s", "sk_live_%s", "AIza%s", "hf_%s", "glsa_%s", "hvs.%s", "SG.%s", "npm_%s", "AKIA%s", "dckr_pat_%s", "ATATT%s", "sk-proj-%s", "shpat_%s", "whsec_%s", "xapp-%s", "lin_api_%s", "sntrys_%s", "figd_%s", "PMAK-%s", "dapi%s", "rubygems_%s",
}

// places are where a text may stand in a line; %s is the text.
var places = []struct {
	name, place string
	encode      func(string) string
}{
	{"query", `"GET /a?x=1&%s&y=2 HTTP/1.1" 401 5`, same},
	{"only parameter", `/a?%s`, same},
	{"fragment", `https://www.example.org/a#%s`, same},
	{"path", `/a/%s/b`, same},
	{"referrer", `"https://www.example.org/b?c=d&%s" "curl/8"`, same},
	{"URL in a URL", `/a?next=%s&z=1`, url.QueryEscape},
	{"URL in a URL in a URL", `/a?next=%s&z=1`, func(s string) string { return url.QueryEscape("/b?c=d&e=" + url.QueryEscape("/x?"+s)) }},
	{"thrice", `/a?next=%s&z=1`, func(s string) string {
		return url.QueryEscape("/b?c=d&e=" + url.QueryEscape("/x?q=r&s="+url.QueryEscape("/y?z=1&"+s)))
	}},
	{"encoded path", `/a?next=%%2Fhook%%2F%s%%2Fx`, url.PathEscape},
	{"JSON", `{"status":401,"request_uri":"/a?x=1&%s","y":1}`, same},
	{"JSON as PHP and Go write it", `{"status":401,"request_uri":"\/a?x=1\u0026%s","y":1}`, func(s string) string { return strings.NewReplacer("/", `\/`, "&", `\u0026`, "=", `\u003d`).Replace(s) }},
	{"JSON in JSON", `{"log":"{\"uri\":\"/a?x=1&%s\",\"y\":1}"}`, same},
	{"cookie", `"theme=dark; %s; lang=de"`, same},
	{"cookies of JSON", `{"cookies":{"theme":"dark","x":"%s"}}`, same},
	{"header of JSON", `{"headers":{"X-Custom":["%s"],"Accept":["*/*"]}}`, same},
	{"escaped by nginx", `"/a?x=1&%s" "x"`, func(s string) string { return strings.NewReplacer(`"`, `\x22`, `=`, `\x3D`).Replace(s) }},
	{"user agent", `"client/1.0 (%s)"`, same},
	{"LTSV", "time:x\turi:/a?%s\tua:x", same},
	{"semicolons", `/a;b=c;%s?d=e`, same},
}

func same(s string) string { return s }

// TestSecretsOfAllFormsInAllPlaces plants a secret in every form in every place.
func TestSecretsOfAllFormsInAllPlaces(t *testing.T) {
	const secret = planted + "0123456789abcdef"
	encoded := base64.StdEncoding.EncodeToString([]byte("jane:" + secret))
	for _, form := range forms {
		value := secret
		if strings.HasPrefix(form, "Basic") {
			value = encoded
		}
		for _, p := range places {
			line := fmt.Sprintf(p.place, p.encode(fmt.Sprintf(form, value)))
			got := Redact(nil, []byte(line))
			if bytes.Contains(got, []byte(planted)) || bytes.Contains(got, []byte(encoded[:20])) {
				t.Errorf("%s, %s:\n%s\n%s", form, p.name, line, got)
			}
			if again := Redact(nil, got); !bytes.Equal(got, again) {
				t.Errorf("%s, %s: twice it is %s", form, p.name, again)
			}
		}
	}
}
