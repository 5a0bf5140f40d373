package fault

import "time"

// Bytes is an argument of a message: a size of data. Readers see it in kB or MB of 1,000 bytes, as phones and tariffs count.
type Bytes int64

// Lasting is an argument of a message: how long something plays. Readers see it in minutes and seconds, 1:05.
type Lasting time.Duration
