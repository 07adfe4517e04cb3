package source

import (
	"context"
	"io"

	"logscan/parse/source/compress"
)

// pump reads in a goroutine of its own from what may block for ever (a terminal, an idle
// pipe, a FIFO that nobody has opened), so that the end of the context ends the wait.
type pump struct {
	ctx    context.Context
	ask    chan struct{} // requests one read of the source
	chunks chan chunk
	ended  chan struct{}
	rest   chunk // the part of the last chunk that was not read yet
}

// chunk is the result of one read of the source. The pump does not touch data until the
// next request.
type chunk struct {
	data []byte
	err  error
}

// startPump opens a source in a new goroutine. The caller must call close.
func startPump(ctx context.Context, open func() (io.ReadCloser, error)) *pump {
	p := &pump{
		ctx: ctx,
		ask: make(chan struct{}),
		// One chunk fits, so that the goroutine can end even if nobody takes it.
		chunks: make(chan chunk, 1),
		ended:  make(chan struct{}),
	}
	go p.run(open)
	return p
}

func (p *pump) run(open func() (io.ReadCloser, error)) {
	defer close(p.ended)
	src, err := open()
	if err != nil {
		if _, ok := <-p.ask; ok {
			p.chunks <- chunk{err: err}
		}
		return
	}
	defer src.Close() // it is only read
	// Closing ends a read that waits for a pipe.
	stop := context.AfterFunc(p.ctx, func() { src.Close() })
	defer stop()
	buf := make([]byte, compress.BufferSize)
	for range p.ask {
		n, err := src.Read(buf)
		p.chunks <- chunk{buf[:n], err}
	}
}

// Read reads from the source until the context ends.
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
		case p.rest = <-p.chunks:
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

// close ends the pump. It waits for the goroutine unless the context has ended, because
// then it may be in a read that nothing ends.
func (p *pump) close() {
	close(p.ask)
	select {
	case <-p.ended:
	case <-p.ctx.Done():
	}
}
