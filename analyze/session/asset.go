package session

import (
	"path"
	"strings"
)

// asset tells whether a route, by its name, is a file that pages load: style,
// script, image, font, manifest, source map.
func IsAsset(template string) bool {
	name := strings.ToLower(path.Base(template))
	switch path.Ext(name) {
	case ".js", ".mjs", ".css", ".map", ".wasm",
		".ico", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".avif",
		".woff", ".woff2", ".ttf", ".otf", ".eot",
		".mp3", ".mp4", ".webm", ".webmanifest":
		return true
	}
	return name == "manifest.json" || name == "browserconfig.xml"
}
