package main

import (
	"fmt"
	"io"
	"sync"
	"time"
	"unicode/utf8"

	"logscan/analyze"
	"logscan/report/wording"
)

const (
	progressDelay  = time.Second            // shorter runs show no progress on a terminal
	redrawInterval = 200 * time.Millisecond // on a terminal
	logInterval    = 30 * time.Second       // without a terminal
	eraseLine      = "\r\x1b[K"
	maxName        = 40 // characters shown of the current input's path
	mebi           = 1 << 20
	phaseWrite     = "write"
)

// meter shows the progress of a run: on a terminal as a line that it redraws,
// elsewhere as a message now and then.
type meter struct {
	out      io.Writer
	terminal bool
	progress *analyze.Progress
	began    time.Time
	noun     wording.Noun // for refusals

	drawn bool // owned by run until it has ended
	stop  chan struct{}
	ended sync.WaitGroup
}

// startMeter starts a meter. With nil progress it shows nothing.
func startMeter(out io.Writer, terminal bool, p *analyze.Progress, noun wording.Noun) *meter {
	m := &meter{out: out, terminal: terminal, progress: p, began: time.Now(), noun: noun, stop: make(chan struct{})}
	if p != nil {
		m.ended.Go(m.run)
	}
	return m
}

func (m *meter) run() {
	interval := logInterval
	if m.terminal {
		interval = redrawInterval
		select {
		case <-m.stop:
			return
		case <-time.After(progressDelay):
			m.draw()
		}
	}
	ticker := time.NewTicker(interval)
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
	line := progressLine(m.progress.Stage(), time.Since(m.began), m.noun)
	if !m.terminal {
		note(m.out, "%s", line)
		return
	}
	fmt.Fprint(m.out, eraseLine+cut(line, widthOf(m.out)-1))
	m.drawn = true
}

// end stops the meter and erases its line. It may be called again.
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

// progressLine describes the stage of a run that has taken elapsed so far. noun is what
// refusals are called.
func progressLine(s analyze.Stage, elapsed time.Duration, noun wording.Noun) string {
	if s.Phase != analyze.PhaseRead && s.Phase != "" {
		return fmt.Sprintf("%s, %d %s", map[analyze.Phase]string{
			analyze.PhaseCorrelate: "correlating sessions", analyze.PhaseDetect: "detecting causes",
			analyze.PhaseResult: "building tables", phaseWrite: "writing output",
		}[s.Phase], s.Unauthorized, noun.Many())
	}
	rate := float64(s.Stored) / max(elapsed.Seconds(), 1e-3)
	line := fmt.Sprintf("read %.0f MiB", float64(s.Stored)/mebi)
	if s.Total > 0 {
		stored := min(s.Stored, s.Total) // files may grow while they are read
		line += fmt.Sprintf(" of %.0f (%d%%)", float64(s.Total)/mebi, 100*stored/s.Total)
	}
	line += fmt.Sprintf(", %.0f MiB/s", rate/mebi)
	if left := s.Total - s.Stored; s.Total > 0 && left > 0 && rate > 0 {
		line += fmt.Sprintf(", %v left", time.Duration(float64(left)/rate*float64(time.Second)).Round(time.Second))
	}
	line += fmt.Sprintf(", %d %s", s.Unauthorized, noun.Many())
	if s.Input != "" {
		line += ", " + cutLeft(printable(s.Input), maxName)
	}
	return line
}

// cut returns the first n characters of s.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:max(n, 0)])
}

// cutLeft returns the last n characters of s, beginning with an ellipsis if some
// are missing: the end of a path is the most specific.
func cutLeft(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	return "…" + string(r[len(r)-n+1:])
}
