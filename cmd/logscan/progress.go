package main

import (
	"fmt"
	"io"
	"sync"
	"time"
	"unicode/utf8"

	"logscan/analyze"
)

const (
	patience   = time.Second            // work that is done by then shows no progress
	redrawn    = 200 * time.Millisecond // a line on a terminal
	told       = 30 * time.Second       // a line of a log
	eraseLine  = "\r\x1b[K"
	nameShown  = 40 // characters of the input that is read
	mebi       = 1 << 20
	phaseWrite = "write"
)

// meter tells how far a run has come, on a line of a terminal that is written
// again and again, or on a line of a log now and then.
type meter struct {
	out      io.Writer
	terminal bool
	progress *analyze.Progress
	began    time.Time

	drawn bool // by run alone, until it has ended
	stop  chan struct{}
	ended sync.WaitGroup
}

// startMeter begins to tell; nil progress tells nothing.
func startMeter(out io.Writer, terminal bool, p *analyze.Progress) *meter {
	m := &meter{out: out, terminal: terminal, progress: p, began: time.Now(), stop: make(chan struct{})}
	if p != nil {
		m.ended.Go(m.run)
	}
	return m
}

func (m *meter) run() {
	every := told
	if m.terminal {
		every = redrawn
		select {
		case <-m.stop:
			return
		case <-time.After(patience):
			m.draw()
		}
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-m.stop:
			return
		case <-ticker.C:
			m.draw()
		}
	}
}

func (m *meter) draw() {
	line := progressLine(m.progress.Stage(), time.Since(m.began))
	if !m.terminal {
		note(m.out, "%s", line)
		return
	}
	fmt.Fprint(m.out, eraseLine+cut(line, widthOf(m.out)-1))
	m.drawn = true
}

// end stops telling and leaves the line empty.
func (m *meter) end() {
	if m.progress == nil {
		return
	}
	close(m.stop)
	m.ended.Wait()
	if m.drawn {
		fmt.Fprint(m.out, eraseLine)
	}
	m.progress = nil
}

// progressLine says how far a run has come, after some time.
func progressLine(s analyze.Stage, after time.Duration) string {
	if s.Phase != analyze.PhaseRead && s.Phase != "" {
		return fmt.Sprintf("%s, %d 401s", map[analyze.Phase]string{
			analyze.PhaseCorrelate: "putting sessions together", analyze.PhaseDetect: "looking for causes",
			analyze.PhaseResult: "making tables", phaseWrite: "writing",
		}[s.Phase], s.Unauthorized)
	}
	rate := float64(s.Stored) / max(after.Seconds(), 1e-3)
	line := fmt.Sprintf("read %.0f MiB", float64(s.Stored)/mebi)
	if s.Total > 0 {
		stored := min(s.Stored, s.Total) // what grows while it is read
		line += fmt.Sprintf(" of %.0f (%d %%)", float64(s.Total)/mebi, 100*stored/s.Total)
	}
	line += fmt.Sprintf(", %.0f MiB/s", rate/mebi)
	if left := s.Total - s.Stored; s.Total > 0 && left > 0 && rate > 0 {
		line += fmt.Sprintf(", %v left", time.Duration(float64(left)/rate*float64(time.Second)).Round(time.Second))
	}
	line += fmt.Sprintf(", %d 401s", s.Unauthorized)
	if s.Input != "" {
		line += ", " + tail(printable(s.Input), nameShown)
	}
	return line
}

// cut is the beginning of s, of at most n characters.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:max(n, 0)])
}

// tail is the end of s, of at most n characters: the end of a path says most.
func tail(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	return "…" + string(r[len(r)-n+1:])
}
