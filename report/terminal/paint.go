package terminal

// Paint says whether text for the terminal is coloured.
type Paint bool

// severity colours text by the name of a severity. The colours are those of the
// terminal's own palette, which suit its background.
func (p Paint) severity(name, text string) string {
	switch name {
	case "critical":
		return p.sgr("1;31", text)
	case "high":
		return p.sgr("31", text)
	case "medium":
		return p.sgr("33", text)
	case "low":
		return p.sgr("36", text)
	}
	return text
}

func (p Paint) bold(text string) string { return p.sgr("1", text) }

func (p Paint) faint(text string) string { return p.sgr("2", text) }

// sgr encloses text in the escape sequence "select graphic rendition".
func (p Paint) sgr(code, text string) string {
	if !p || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
