package real

import "time"

// pollEvery is how often a run looks whether the clients have come to rest.
const pollEvery = 20 * time.Millisecond
