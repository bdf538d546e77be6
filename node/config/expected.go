package config

import (
	"math"
	"strconv"
	"strings"

	"github.com/tidemark-log/tidemark/core/metadata"
)

// expected says what a key takes, for messages and for the page.
func expected(k *metadata.ConfigKey) string {
	if k.Name == adminKey {
		return "host:port, or nothing"
	}
	switch k.Type {
	case metadata.ConfigBool:
		return "true or false"
	case metadata.ConfigInt, metadata.ConfigShort, metadata.ConfigLong:
		return "a whole number" + bounds(k)
	case metadata.ConfigDouble:
		return "a number" + bounds(k)
	case metadata.ConfigList:
		if k.Values != nil {
			return "a list of " + strings.Join(k.Values, ", ")
		}
		return "a list, separated by commas"
	case metadata.ConfigClass:
		return "a class name"
	}
	if k.Values != nil {
		return "one of " + strings.Join(k.Values, ", ")
	}
	return "text"
}

// bounds leaves out what the type bounds anyway.
func bounds(k *metadata.ConfigKey) string {
	top := map[metadata.ConfigType]float64{
		metadata.ConfigShort: math.MaxInt16, metadata.ConfigInt: math.MaxInt32, metadata.ConfigLong: math.MaxInt64,
		metadata.ConfigDouble: math.MaxFloat64,
	}
	least := strconv.FormatFloat(k.Min, 'f', -1, 64)
	if k.Max >= top[k.Type] {
		return ", at least " + least
	}
	return " from " + least + " to " + strconv.FormatFloat(k.Max, 'f', -1, 64)
}
