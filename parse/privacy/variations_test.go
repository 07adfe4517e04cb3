package privacy

import (
	"strings"
	"testing"
)

// variations are further notations of credentials. SECRET stands for each of several
// values.
const variations = `
{'Cookie': 'a=SECRET', 'Authorization': 'Bearer SECRET'}
{b'Cookie': b'sid=SECRET'}
Parameters: {"user"=>{"login"=>"jane", "password"=>"SECRET"}}
'password' => 'SECRET'
[password] => SECRET
"{""password"":""SECRET"",""user"":""jane""}"
{"password" : "SECRET"}
{"password":["SECRET"]}
{"password":{"value":"SECRET"}}
{"cookies":[{"name":"sid","value":"SECRET"}]}
{"cookies":[{"value":"SECRET","name":"sid","domain":"x"}]}
{"headers":[{"key":"X-Api-Key","value":"SECRET"}]}
{"headers":[{"key":"authorization","value":{"stringValue":"SECRET"}}]}
{"headers":[{"Name":"Set-Cookie","Value":["a=SECRET; Path=/","b=SECRET"]}]}
{"headers":{"set-cookie":["a=SECRET; Path=/; HttpOnly","b=SECRET"],"x":["y"]}}
{"headers":[["cookie","a=SECRET"],["x","y"]]}
{"headers":["Cookie: a=SECRET; b=SECRET","Authorization: Basic SECRET"]}
{"headers":"Cookie: a=SECRET; b=SECRET\r\nHost: x\r\nAuthorization: SECRET\r\n"}
{"log":"{\"request\":{\"headers\":{\"Cookie\":[\"a=SECRET\",\"b=SECRET\"]}}}\n","stream":"stdout"}
{"log":"{\"m\":\"{\\\"password\\\":\\\"SECRET\\\"}\"}"}
{"body":"user=jane&password=SECRET"}
{"body":"{\"user\":\"jane\",\"password\":\"SECRET\"}"}
{\x22user\x22:\x22jane\x22,\x22password\x22:\x22SECRET\x22}
{\u0022password\u0022:\u0022SECRET\u0022}
%7B%22password%22%3A%22SECRET%22%7D
%257B%2522password%2522%253A%2522SECRET%2522%257D
{password:SECRET}
{password:SECRET,user:jane}
{user: jane, password: 'SECRET'}
mutation{login(user:"jane",password:"SECRET"){token}}
<user>jane</user><password>SECRET</password>
<wsse:Password Type="x#PasswordText">SECRET</wsse:Password>
<ApiKey>SECRET
<login user="jane" password="SECRET"/>
password="SECRET" user="jane"
password='SECRET' user='jane'
password=\"SECRET\"
password = SECRET
curl --password SECRET --user jane
app --api-key 'SECRET'
cookie="theme=dark; sid=SECRET"
cookie=theme=dark; unknown=SECRET; b=SECRET status=401
authorization="Bearer SECRET"
authorization=Bearer SECRET status=401
authorization=SharedKeyLite acct:SECRET status=401
X-Api-Key: SECRET
X-Vault-Token: SECRET
PRIVATE-TOKEN:SECRET
apikey:SECRET
Cookie:a=SECRET
Proxy-Authorization: Frob SECRET
Authorization: Custom a="SECRET", b="SECRET"
Authorization: SECRET
Set-Cookie: unknown=SECRET; Path=/
GET /?password=ab%26SECRET&x=1
GET /?password=ab%3BSECRET&x=1
GET /?password=ab%2523SECRET&x=1
GET /?password=ab'SECRET'cd&x=1
GET /?password='SECRET&x=1
GET /?password=%27SECRET%27&x=1
GET /?password=ab)SECRET&x
GET /?password=ab]SECRET&x
GET /?password=ab}SECRET&x
GET /?password=ab,SECRET&x
GET /?password=ab:SECRET&x
GET /?password=ab=SECRET&x
GET /?password=ab/SECRET&x
GET /?password=ab?SECRET&x
GET /?password=ab@SECRET&x
GET /?password=ab+SECRET&x
GET /?password=ab%20SECRET&x
GET /?password=ab\SECRET&x
GET /?password=ab>SECRET&x
GET /?password=ab</SECRET&x
GET /?password=ab#SECRET&x
GET /?password=ab$SECRET&x
GET /?password=ab*SECRET&x
GET /?password[]=SECRET
GET /?user[password][0]=SECRET
GET /?Password=SECRET
GET /?PASSWORD=SECRET
GET /?j_password=SECRET
GET /?ctl00$txtPassword=SECRET
GET /?userPwd=SECRET
GET /?x=1;password=SECRET
GET /a;token=SECRET/b
GET /a;token=SECRET?x
https://x/a#/cb?token=SECRET
https://jane:SECRET@x/
ftp://jane:SECRET@x/
redis://:SECRET@x:6379/0
-----BEGIN RSA PRIVATE KEY-----\nSECRET\nSECRET\n-----END RSA PRIVATE KEY-----
-----BEGIN%20PRIVATE%20KEY-----%0ASECRET
.ASPXAUTH=SECRET
{"authorization":{"scheme":"Frob","credentials":"SECRET"}}
{"auth":{"token":"SECRET"}}
GET / HTTP/1.1\r\nCookie: unknown=SECRET\r\nHost: x
GET / HTTP/1.1\nX-Api-Key: SECRET\nHost: x
{"token":12345678,"x":"SECRET_NOT"}
/a?d={&quot;password&quot;:&quot;SECRET&quot;,&quot;x&quot;:1}
/a?d={&#34;password&#34;:&#34;SECRET&#34;}
/a?d={&#x22;password&#X22;:&#x022;SECRET&#x22;}
/a?d={&amp;quot;password&amp;quot;:&amp;quot;SECRET&amp;quot;}
/a?d=%7B%26quot%3Bpassword%26quot%3B%3A%26quot%3BSECRET%26quot%3B%7D
/a?x=1&amp;access_token=SECRET&amp;y=2
/a?x=1&amp;access_token=ab;SECRET&amp;y=2
/a?x=1&#38;access_token=ab;SECRET&#38;y=2
/a?x=1&#x26;access_token&#x3d;ab;SECRET
/a?x=1\u0026access_token\u003dSECRET\u0026y=2
/a?x=1\x26access_token\x3dab<SECRET\x26y=2
&lt;password&gt;SECRET&lt;/password&gt;
{'password':'ab'SECRET'}
{"password":"ab"SECRET"}
GET /?password=ab"SECRET&x=1
GET /?password=ab\"SECRET&x=1
{password:ab"SECRET}
`

// TestVariations checks that no notation shows a credential, whatever it is like.
func TestVariations(t *testing.T) {
	for _, v := range []string{"Pl4nted-S3cret_Value", "LETMEIN7", "qzxwvutsrqpo", "0123456789abcdef0123456789abcdef", "correct-horse", "c4Jk/9+aZ=="} {
		for text := range strings.SplitSeq(strings.Trim(variations, "\n"), "\n") {
			line := strings.ReplaceAll(strings.ReplaceAll(text, "SECRET_NOT", "x"), "SECRET", v)
			got := string(Redact(nil, []byte(line)))
			if strings.Contains(got, v) || strings.Contains(got, "12345678,") {
				t.Errorf("%s\n  %s", line, got)
			}
			if again := string(Redact(nil, []byte(got))); strings.Contains(again, v) {
				t.Errorf("twice: %s\n  %s", got, again)
			}
		}
	}
}
