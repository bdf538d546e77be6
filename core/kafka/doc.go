// Package kafka holds Kafka's nouns as types, so that an offset is never taken for an
// epoch, and the error codes of the protocol.
//
// Deliberately absent: wire encoding (kmsg in core/api) and behaviour.
package kafka
