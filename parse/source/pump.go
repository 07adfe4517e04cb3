package source

import (
	"context"
	"io"

	"logscan/parse/source/compress"
)

// pump reads what may wait for ever (a terminal, a pipe whose other end is
// silent, a FIFO that nobody has opened) in a goroutine of its own, so that
// the end of the context ends the wait.
type pump struct {
	ctx   context.Context
	ask   chan struct{} // one for each read of the source
	given chan chunk
	ended chan struct{}
	rest  chunk // given, and not all of it read
}

// chunk is what one read of the source gave. The pump does not touch data until
// it is asked again.
type chunk struct {
	data []byte
	err  error
}

// startPump opens a source in a new goroutine. Close it when done.
func startPump(ctx context.Context, open func() (io.ReadCloser, error)) *pump {
	p := &pump{
		ctx: ctx,
		ask: make(chan struct{}),
		// One chunk fits, so that the goroutine ends though nobody takes it.
		given: make(chan chunk, 1),
		ended: make(chan struct{}),
	}
	go p.run(open)
	return p
}

func (p *pump) run(open func() (io.ReadCloser, error)) {
	defer close(p.ended)
	src, err := open()
	if err != nil {
		if _, ok := <-p.ask; ok {
			p.given <- chunk{err: err}
		}
		return
	}
	defer src.Close() // it is only read
	// Closing ends the read of a pipe that waits.
	stop := context.AfterFunc(p.ctx, func() { src.Close() })
	defer stop()
	buf := make([]byte, compress.BufferSize)
	for range p.ask {
		n, err := src.Read(buf)
		p.given <- chunk{buf[:n], err}
	}
}

// Read gives what the source gives, until the context ends.
func (p *pump) Read(b []byte) (int, error) {
	if len(p.rest.data) == 0 {
		if p.rest.err != nil {
			return 0, p.rest.err
		}
		select {
		case p.ask <- struct{}{}:
		case <-p.ctx.Done():
			return 0, p.ctx.Err()
		}
		select {
		case p.rest = <-p.given:
		case <-p.ctx.Done():
			return 0, p.ctx.Err()
		}
	}
	n := copy(b, p.rest.data)
	p.rest.data = p.rest.data[n:]
	if len(p.rest.data) > 0 {
		return n, nil
	}
	return n, p.rest.err
}

// close ends the pump. It waits for that unless the context has ended, for
// then the goroutine may be in a read that nothing ends.
func (p *pump) close() {
	close(p.ask)
	select {
	case <-p.ended:
	case <-p.ctx.Done():
	}
}
