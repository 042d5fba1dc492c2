package tui

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A key is answered at once beside what moves by itself, and no second has more pictures than the rate.
func TestFrames(t *testing.T) {
	var f frames
	now := testTime
	paint := func(key bool) time.Duration {
		f.key = f.key || key
		w := f.wait(now)
		now = now.Add(w)
		f.painted(now)
		return w
	}
	paint(false)
	now = now.Add(10 * time.Millisecond)
	if w := paint(true); w != 0 {
		t.Errorf("a key waits %v for its picture", w)
	}
	if w := paint(false); w != motionTime {
		t.Errorf("what moves waits %v behind a key's picture", w)
	}
}

func TestFrameRateIsKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var f frames
		now := testTime
		var painted []time.Time
		for range rapid.IntRange(1, 200).Draw(t, "messages") {
			now = now.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "ms")) * time.Millisecond)
			f.key = f.key || rapid.Bool().Draw(t, "key")
			w := f.wait(now)
			if w > time.Second {
				t.Fatalf("a picture waits %v", w)
			}
			now = now.Add(w)
			f.painted(now)
			painted = append(painted, now)
		}
		for i := frameRate; i < len(painted); i++ {
			if d := painted[i].Sub(painted[i-frameRate]); d < time.Second {
				t.Fatalf("%d pictures in %v", frameRate+1, d)
			}
		}
	})
}

// A picture that had to wait is asked for once, and comes.
func TestWaitingPictureComes(t *testing.T) {
	r, _ := opened(t, nil)
	r.screen()
	wait := motionTime
	r.a.hold = func(*frames) time.Duration { return wait }
	before := r.a.frame
	_, cmd := r.a.Update(keyMsg("j"))
	r.a.Update(keyMsg("j"))
	if r.a.View(); r.a.frame != before || cmd == nil {
		t.Fatal("it was painted too early, or is not asked for")
	}
	if !r.a.frames.due {
		t.Error("it is asked for twice")
	}
	wait = 0
	r.a.Update(frameMsg{})
	if r.a.View(); r.a.frame == before || r.a.frames.due {
		t.Error("the picture that waited does not come")
	}
}
