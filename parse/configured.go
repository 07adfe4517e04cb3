package parse

// Configured is a format as a server's configuration gives it.
type Configured struct {
	Server string // nginx or apache
	Name   string // empty where the format has none
	Spec   string // the format string, as the server assembles it
	Raw    bool   // nginx's escape=none
	Host   string // virtual host of all lines, where it is known; for lines that do not name one
}

// Format makes the format.
func (c Configured) Format() (*Format, error) {
	f := &Format{
		Name: c.Name, Doc: "from the configuration of " + c.Server, Native: c.Spec,
		server: c.Server, raw: c.Raw, host: []byte(c.Host),
	}
	if f.Name == "" {
		f.Name = c.Spec
	}
	if err := f.compile(nil); err != nil {
		return nil, err
	}
	return f, nil
}
