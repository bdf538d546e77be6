package node

// buffersRetainedMax bounds the memory that the buffer pool keeps for reuse.
const buffersRetainedMax = 64 << 20
