package exempt

import "time"

func now() (t time.Time) {
	t = time.Now() //detlint:ok shown to the operator, decides nothing
	//detlint:ok the line above its subject counts too
	t = time.Now()
	t = time.Now() // want `time.Now`
	//detlint:ok nothing to exempt // want `exempts nothing here`
	t = t.Add(1)
	t = time.Now() //detlint:okay is another word // want `time.Now`
	return t
}
