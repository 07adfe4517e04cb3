package session

// Cause is the cause that a refusal shows by itself: the background that belongs
// to every site. Findings take precedence over it.
type Cause uint8

// The causes, in the order of their names.
const (
	Challenge    Cause = iota // a handshake that then succeeds
	LoginFailure              // wrong credentials
	SessionEnd                // an ordinary expiry
	Anonymous                 // never signed in, no credentials
	Unexplained
	NumCauses
)

// String returns the stable name of c.
func (c Cause) String() string {
	return [...]string{"challenge", "login_failure", "session_end", "anonymous", "unexplained"}[c]
}
