package clusterset

import (
	"runtime"
	"testing"
	"unsafe"
)

// TestGrowStack: however much of its stack a goroutine has used, after growStack there is room
// for an answer.
func TestGrowStack(t *testing.T) {
	for depth := range 64 {
		moved := make(chan bool)
		go func() { moved <- movesAt(depth) }()
		if <-moved {
			t.Errorf("%d frames down, the stack was moved after growStack", depth)
		}
	}
}

// movesAt reports whether a stack is moved after growStack, called some frames of 100 bytes down.
//
//go:noinline
func movesAt(depth int) bool {
	var frame [100]byte
	if depth > 0 {
		moved := movesAt(depth - 1)
		runtime.KeepAlive(&frame)
		return moved
	}
	growStack()
	before := uintptr(unsafe.Pointer(&frame))
	answerOf1800Bytes()
	return before != uintptr(unsafe.Pointer(&frame))
}

//go:noinline
func answerOf1800Bytes() {
	var room [1800]byte
	runtime.KeepAlive(&room)
}
