package function

import "testing"

// Run at every build, with all files called *_test.go; the build argument TEST_ENABLED=false turns that off.
func TestThereIsAHandler(t *testing.T) {
	var _ any = Handle
}

// What your function promises, for example (with "net/http/httptest" and "strings" imported):
//
//	func TestTheBodyComesBack(t *testing.T) {
//		answer := httptest.NewRecorder()
//		Handle(answer, httptest.NewRequest("POST", "/", strings.NewReader("hello")))
//		if answer.Body.String() != "hello" {
//			t.Errorf("got %q", answer.Body)
//		}
//	}
