package cli

import "fmt"

// The exit codes of every verb.
const (
	Good       = 0
	Degraded   = 1 // degraded, or warnings
	Failed     = 2
	WrongUsage = 3
)

// ExitError ends the program with a code. Err is printed, unless it is nil: the output then
// says it all.
type ExitError struct {
	Code int
	Err  error
}

func (e *ExitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return e.Err.Error()
}

func (e *ExitError) Unwrap() error { return e.Err }

// Exit returns the error that ends the program with the code and without a message, nil
// for Good.
func Exit(code int) error {
	if code == Good {
		return nil
	}
	return &ExitError{Code: code}
}

// Usage returns an error about how the program was called.
func Usage(format string, args ...any) error {
	return &ExitError{Code: WrongUsage, Err: fmt.Errorf(format, args...)}
}
