package privacy

import "bytes"

// What names do not tell is told by shape: words, dates and small numbers are written in
// few changes between letters and digits, keys and tokens in many.

const (
	// oddValue is how many bytes of a value must be no words for it to be a credential,
	// given a name that leaves it open. Six digits are a usual code.
	oddValue = 6
	// oddWord is the same for a word whose meaning is unknown: the shortest usual key has
	// 64 bits, 16 digits in hexadecimal.
	oddWord = 16
	// judged bounds in bytes how much of a value is looked at to decide.
	judged = 256
)

// looksSecret reports whether a value is more likely a credential than words, a date or a
// number.
func looksSecret(v []byte) bool { return len(v) >= oddValue && oddBytes(v) >= oddValue }

// LooksLikeKey reports whether a word of unknown meaning is likely a credential:
// hexadecimal, base64, a UUID. Unlike looksSecret it takes letters and digits
// of one long word for one.
func LooksLikeKey(w []byte) bool {
	w = w[:min(len(w), judged)]
	if len(w) < oddWord {
		return false
	}
	if isUUID(w) || oddBytes(w) >= oddWord {
		return true
	}
	for i := 0; i < len(w); {
		n := i
		for n < len(w) && isAlnum(w[n]) {
			n++
		}
		if n-i >= oddWord && !plainWord(w[i:n]) {
			return true
		}
		i = n + 1
	}
	return false
}

// plainWord reports whether a long run of letters and digits has letters only, or digits only, and
// if the former is written as names are: aaa, AAA, aaaBbbCcc.
func plainWord(w []byte) bool {
	digits, capitals, longest, run := 0, 0, 0, 0
	for _, c := range w {
		switch {
		case isDigit(c):
			digits++
			run = 0
		case c <= 'Z':
			capitals++
			run++
			longest = max(longest, run)
		default:
			run = 0
		}
	}
	if digits > 0 {
		return digits == len(w)
	}
	return capitals == len(w) || longest <= 1 && !denseCapitals(w)
}

// isUUID reports whether w is a UUID (RFC 9562).
func isUUID(w []byte) bool {
	if len(w) != 36 {
		return false
	}
	for i, c := range w {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !isHex(c) {
			return false
		}
	}
	return true
}

// oddBytes returns how many bytes of v are in runs of letters and digits that are no words
// or numbers. Percent-encoded bytes separate runs.
func oddBytes(v []byte) (n int) {
	v = v[:min(len(v), judged)]
	for i := 0; i < len(v); {
		if v[i] == '%' && i+2 < len(v) && isHex(v[i+1]) && isHex(v[i+2]) {
			i += 3
			continue
		}
		end := i
		for end < len(v) && isAlnum(v[end]) {
			end++
		}
		if !wordLike(v[i:end]) {
			n += end - i
		}
		i = max(end, i+1)
	}
	return n
}

const (
	longestWord   = 24 // bytes: no word of a program is longer without a separator
	shortestCode  = 6  // bytes: below, digits among letters are abbreviations: x86, b2b, 1080p
	longestNumber = 4  // digits after letters, as in a year: summer2026
)

// wordLike reports whether a run of letters and digits is a word, an abbreviation or a
// number: letters, digits, letters before a few digits, or a few digits before letters.
func wordLike(w []byte) bool {
	if len(w) < shortestCode {
		return true
	}
	changes, digits := 0, 0
	for i, c := range w {
		if isDigit(c) {
			digits++
		}
		if i > 0 && isDigit(c) != isDigit(w[i-1]) {
			changes++
		}
	}
	switch {
	case digits == len(w):
		return true
	case digits == 0:
		return len(w) < oddWord && !denseCapitals(w) || len(w) <= longestWord && plainWord(w)
	case changes > 1 || digits > longestNumber:
		return false
	case len(w) > shortestCode && upper[w[0]] && upper[w[1]]: // a voucher
		return false
	}
	return len(w)-digits <= longestWord/2 && !denseCapitals(bytes.TrimRight(w, "0123456789"))
}

// denseCapitals reports whether capitals begin more parts than words have: a part has less
// than three letters on average.
func denseCapitals(w []byte) bool {
	parts := 1
	for i := 1; i < len(w); i++ {
		if w[i] <= 'Z' && w[i-1] > 'Z' {
			parts++
		}
	}
	return len(w) >= 8 && parts > 2 && len(w) < 3*parts
}

// onlyDigits reports whether v is a decimal number.
func onlyDigits(v []byte) bool {
	for _, c := range v {
		if !isDigit(c) {
			return false
		}
	}
	return len(v) > 0
}

// saysNothing reports whether a value stands for no credential, or has been redacted.
func saysNothing(v []byte) bool {
	if len(v) > len(redacted)+2 {
		return false
	}
	switch string(bytes.ToLower(bytes.Trim(v, `[]<>*"`))) {
	case "", "-", "true", "false", "null", "none", "nil", "undefined", "redacted", "filtered", "hidden":
		return true
	}
	return false
}
