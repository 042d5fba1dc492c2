//go:build !linux

package team

func lower() {}
