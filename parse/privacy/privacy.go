// Package privacy removes credentials and people's names from what leaves the
// program.
//
// Redact takes any text of a log (a URL or a part of one, the value of a header)
// and replaces every credential in it by REDACTED: the value of a parameter,
// cookie, header, JSON key or XML element whose name says so; what follows the
// name of an authentication scheme; a JSON Web Token (RFC 7519); a key of a
// well-known service, by its prefix; a private key in PEM; the userinfo of a URL
// (RFC 3986, section 3.2.1); session ids in paths, and segments that a word before
// them and their shape give away.
//
// RedactLine does the same for a raw line, of which a parser knows more: which
// fields hold credentials, and which parts nobody has read.
//
// A Mask replaces users and addresses by keyed pseudonyms such as
// user-3f9a0c1d2e4b5a67 and addr-3f9a0c1d2e4b5a67, in the fields of a line and in
// any text. Without the key nobody can turn a pseudonym back, or find out whose it
// is by trying names. The same key gives the same pseudonyms on every night and
// machine.
//
// The package does not parse lines: package parse tells the Mask which values are
// names.
package privacy
