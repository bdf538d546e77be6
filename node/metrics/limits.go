package metrics

// TopicsMax bounds the topics that have series of their own, five each: a server of Prometheus
// that must keep more than some thousands for one process is better asked for sums. Of more
// topics the first by name are shown, and tidemark_topics_unlisted says how many are not.
const TopicsMax = 500

// scrapesMax bounds the scrapes at one time: a Prometheus and its twin, and somebody who
// looks by hand.
const scrapesMax = 4
