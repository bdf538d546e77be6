package controller

// FormatCluster decides the first records of a metadata log, or none if it has them.
func (c *Controller) FormatCluster(req FormatCluster) Decision[ClusterFormatted] {
	return Decision[ClusterFormatted]{}
}

// RegisterBroker decides on the registration of a broker.
func (c *Controller) RegisterBroker(req RegisterBroker) Decision[BrokerRegistered] {
	return Decision[BrokerRegistered]{}
}

// CreateTopics decides which of the topics are created.
func (c *Controller) CreateTopics(req CreateTopics) Decision[[]TopicCreated] {
	return Decision[[]TopicCreated]{}
}

// DeleteTopics decides which of the topics are deleted.
func (c *Controller) DeleteTopics(req DeleteTopics) Decision[[]TopicDeleted] {
	return Decision[[]TopicDeleted]{}
}

// AllocateProducerIDs decides on the next block of producer ids.
func (c *Controller) AllocateProducerIDs(req AllocateProducerIDs) Decision[ProducerIDsAllocated] {
	return Decision[ProducerIDsAllocated]{}
}
