package model

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPartitionLog(t *testing.T) {
	for name, c := range map[string]struct {
		want     Outcome
		windows  int
		searched int
		ops      []Op
	}{
		"appends in order": {Legal, 2, 0, []Op{
			{Append: true, Lo: 0, Hi: 2, Invoke: 1, Return: 2}, {Append: true, Lo: 2, Hi: 3, Invoke: 3, Return: 4}}},
		"a gap is lawful": {Legal, 2, 0, []Op{
			{Append: true, Lo: 0, Hi: 1, Invoke: 1, Return: 2}, {Append: true, Lo: 5, Hi: 6, Invoke: 3, Return: 4}}},
		"appends against real time": {Illegal, 1, 0, []Op{
			{Append: true, Lo: 2, Hi: 3, Invoke: 1, Return: 2}, {Append: true, Lo: 0, Hi: 2, Invoke: 3, Return: 4}}},
		"overlapping appends may take either order": {Legal, 1, 1, []Op{
			{Append: true, Lo: 2, Hi: 3, Invoke: 1, Return: 3}, {Append: true, Lo: 0, Hi: 2, Invoke: 2, Return: 4}}},
		"a read of what is not there yet": {Illegal, 1, 0, []Op{
			{Lo: 1, Hi: 9, Invoke: 1, Return: 2}, {Append: true, Lo: 0, Hi: 1, Invoke: 3, Return: 4}}},
		"a read beside the append": {Legal, 1, 1, []Op{
			{Lo: 1, Hi: 9, Invoke: 1, Return: 4}, {Append: true, Lo: 0, Hi: 1, Invoke: 2, Return: 3}}},
		"seen, then not seen": {Illegal, 1, 1, []Op{
			{Append: true, Lo: 0, Hi: 1, Invoke: 1, Return: 9}, {Lo: 1, Hi: 9, Invoke: 2, Return: 3}, {Hi: 0,
				Invoke: 4, Return: 5}}},
		"over before it began": {Illegal, 0, 0, []Op{{Append: true, Hi: 1, Invoke: 3, Return: 2}}},
	} {
		t.Run(name, func(t *testing.T) {
			r := CheckPartition(c.ops, time.Minute)
			require.Equal(t, c.want, r.Outcome)
			require.Equal(t, c.windows, r.Windows)
			require.Equal(t, c.searched, r.Searched)
			require.Equal(t, c.want == Illegal, len(r.Ops) > 0)
		})
	}
}
