package trace

// EventBytesMax bounds the binary form of one event as ReadBinary takes it. An event has
// a name, four numbers and a short cause; the longest text is an error with a file name.
const EventBytesMax = 64 << 10
