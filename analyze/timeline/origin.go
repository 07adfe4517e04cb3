package timeline

// Origin is the scheme of a request and the server whose log it is in, in one byte, so
// that events stay small.
type Origin uint8

const (
	schemeBits = 2
	// MaxServers is the maximum number of servers that events can name. If the logs
	// are of more, the events name none.
	MaxServers = 1<<(8-schemeBits) - 1
	// serverAt is the bit from which on record.via holds the server: above the
	// greatest number of a scheme and an upstream.
	serverAt = 20
)

func newOrigin(s Scheme, server uint32) Origin { return Origin(uint32(s) | server<<schemeBits) }

// OriginOf returns the origin of a request to no known server.
func OriginOf(s Scheme) Origin { return newOrigin(s, 0) }

// Scheme returns the scheme.
func (o Origin) Scheme() Scheme { return Scheme(o & (1<<schemeBits - 1)) }

// Server returns the server, as index into State.Servers plus one; 0 for none.
func (o Origin) Server() int { return int(o >> schemeBits) }

// SetServers sets which server's log each input is: an index into names plus one, or 0.
// It must be called before the first block, with the same arguments for all workers.
// names has at most MaxServers elements.
func (w *Worker) SetServers(names []string, of []uint8) { w.servers, w.serverOf = names, of }

// enter sets the server of the following lines, which are of an input.
func (w *Worker) enter(input int) {
	w.server = 0
	if len(w.serverOf) > 0 {
		w.server = uint32(w.serverOf[input]) << serverAt
	}
}
