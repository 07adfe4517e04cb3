package report

// Paint colours text for the terminal: true where that is wanted. Only what is
// ours is coloured, and text of the log cannot act (visible).
type Paint bool

// The colours are those of the terminal's own palette, which suit its
// background.
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

func (p Paint) sgr(code, text string) string {
	if !p || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
