package unreasoned

import "time"

func now() time.Time {
	return time.Now() //detlint:ok
}
