package privacy

import (
	"bytes"
	"strings"
)

// serviceKey describes the keys of a service: their prefix and the minimum number of bytes
// that follow it.
type serviceKey struct {
	prefix string
	least  int
}

// knownKeys are those of well-known services. A short prefix, or one that is a word, needs
// more bytes behind it.
var knownKeys = func() (keys []serviceKey) {
	for _, group := range []serviceKey{
		{"AKIA ASIA ABIA ACCA LTAI", 12},
		{"ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- gldt- glrt- glptt- glft- glimt- glagent- gloas- glcbt- glffct- glsoat- GR1348941 " +
			"xoxb- xoxp- xoxa- xoxr- xoxs- xoxe- xoxe. xoxc- xoxd- xapp- sk_live_ sk_test_ rk_live_ rk_test_ sk_prod_ sk-proj- sk-ant- sk-or- sk-svcacct- sk-admin- AIza ya29. 1//0 GOCSPX- " +
			"npm_ pypi-AgE dop_v1_ doo_v1_ dor_v1_ shpat_ shpss_ shpca_ shppa_ shptka_ dckr_pat_ dckr_oat_ whsec_ sntrys_ sntryu_ figd_ lin_api_ lin_oauth_ rubygems_ hvs. hvb. hvr. glsa_ glc_ " +
			"PMAK- ATATT ATCTT ATBB SG. GOCSPX- dp.pt. dp.st. dp.ct. sq0atp- sq0csp- xkeysib- xsmtpsib- pat-na1- pat-eu1- NRAK- NRJS- NRII- sbp_ sb_secret_ tfp_ pscale_tkn_ pscale_pw_ pscale_oauth_ sgp_ " +
			"tskey-auth- tskey-api- tskey-client- pplx- gsk_ nvapi- CFPAT- AGE-SECRET-KEY-1 FLWSECK rzp_live_ rzp_test_ bkua_ dt0c01. dt0s16. EZAK EZTK glagent- phx_ pul- snyk_ lsv2_pt_ lsv2_sk_ apify_api_ " +
			"AKCp r8_ ntn_ rdme_ tvly- ops_eyJ EAAAE EAACEdEose vault:v1: duffel_live_ flb_live_ IGQV ABSK squ_ sqp_ sqa_ aio_ tk_live_ pdl_live_ pnu_ akm_ doppler_", 16},
		{"hf_ EAA MG. xai- secret_ key- Mlj6 AKID", 30},
		{"dapi SK sk-", 32},
	} {
		for prefix := range strings.FieldsSeq(group.prefix) {
			keys = append(keys, serviceKey{prefix, group.least})
		}
	}
	return keys
}()

// keysBy holds the known keys by their first byte.
var keysBy = func() (by [256][]serviceKey) {
	for _, k := range append(knownKeys, serviceKey{"eyJ", 17}) { // the last are objects of JSON in base64: JSON Web Tokens
		by[k.prefix[0]] = append(by[k.prefix[0]], k)
	}
	return by
}()

// keySeconds holds, by the first byte of the known keys, the lowest six bits of their second
// bytes, as a set: most words are told from keys by it.
var keySeconds = func() (set [256]uint64) {
	for c, keys := range keysBy {
		for _, k := range keys {
			set[c] |= 1 << (k.prefix[1] & 63)
		}
	}
	return set
}()

// serviceKey finds the key of a service at i: a known prefix with enough bytes behind it. It
// returns the end of the key, 0 if there is none.
func (f *finder) serviceKey(i int) int {
	b := f.text
	for n := range keysBy[b[i]] {
		k := &keysBy[b[i]][n]
		if len(b)-i < len(k.prefix) || b[i+1] != k.prefix[1] || string(b[i:i+len(k.prefix)]) != k.prefix {
			continue
		}
		from := i + len(k.prefix)
		n := from
		dotted := k.prefix[len(k.prefix)-1] == '.' || k.prefix == "eyJ"
		for n < len(b) && (base64URL[b[n]] || b[n] == '.' && dotted || b[n] == '{' || b[n] == '}') { // {id}: in a route
			n++
		}
		if n-from >= k.least && (k.least == 16 && len(k.prefix) > 3 || k.prefix == "eyJ" || oddBytes(b[i:n]) >= oddValue) {
			return f.cut(i, n)
		}
	}
	return 0
}

// botToken finds the token of a bot of Telegram whose colon is at i: its number and
// 35 bytes, as in 123456789:AA….
func (f *finder) botToken(i int) int {
	const leastNumber, leastSecret = 6, 30
	t := f.text
	digits := i
	for digits > f.from && i-digits <= 2*leastNumber && isDigit(t[digits-1]) {
		digits--
	}
	if i-digits < leastNumber {
		return 0
	}
	n := i + 1
	for n < len(t) && base64URL[t[n]] {
		n++
	}
	if n-i <= leastSecret || oddBytes(t[i+1:n]) == 0 && !LooksLikeKey(t[i+1:n]) {
		return 0
	}
	return f.cut(i+1, n)
}

var (
	keyBegins = []byte("-----BEGIN ")
	keyEnds   = []byte("-----END")
)

// privateKey finds a private key in PEM (RFC 7468) whose dashes begin at i. It returns its
// end, 0 if there is none.
func (f *finder) privateKey(i int) int {
	t := f.text[i:]
	if !bytes.HasPrefix(t, keyBegins) {
		return 0
	}
	label := t[len(keyBegins):min(len(t), len(keyBegins)+longestName)]
	n := bytes.Index(label, []byte("-----"))
	if n < 0 || !bytes.Contains(label[:n], []byte("PRIVATE KEY")) {
		return 0
	}
	start := len(keyBegins) + n + len("-----")
	end := bytes.Index(t[start:], keyEnds)
	if end < 0 {
		if end = bytes.IndexByte(t[start:], '"'); end < 0 {
			end = len(t) - start
		}
	}
	return f.cut(i+start, i+start+end)
}
