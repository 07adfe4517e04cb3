package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

// From the first collection on, the collector works as it always does.
func TestLateCollection(t *testing.T) {
	if _, set := os.LookupEnv("GOGC"); set {
		t.Skip("GOGC is set")
	}
	percent := func() uint64 {
		sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	const usual = 93
	defer debug.SetGCPercent(debug.SetGCPercent(usual))
	runtime.GC()
	lateCollection()
	if n := percent(); n <= usual {
		t.Errorf("before the first collection the percentage is %d", n)
	}
	for end := time.Now().Add(10 * time.Second); percent() != usual && time.Now().Before(end); time.Sleep(time.Millisecond) {
		runtime.GC()
	}
	if n := percent(); n != usual {
		t.Errorf("after collections the percentage is %d, want %d", n, usual)
	}
}

// What is dead is freed before rows are made.
func TestCollectTimelines(t *testing.T) {
	if _, set := os.LookupEnv("GOGC"); set {
		t.Skip("GOGC is set")
	}
	runtime.GC()
	freed := make(chan struct{})
	runtime.AddCleanup(new([1 << 20]byte), func(c chan struct{}) { close(c) }, freed)
	collectTimelines()
	select {
	case <-freed:
	case <-time.After(10 * time.Second):
		t.Error("nothing is freed")
	}
}
