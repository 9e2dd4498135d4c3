// SPDX-License-Identifier: Apache-2.0
// Pages out of the program's own bytes.
#include "host/http/static_files.h"

#include <fmt/format.h>

#include <array>

#include "host/embedded.h"
#include "host/http/gzip.h"
#include "host/http/problem.h"

namespace jw::http {
namespace {

struct ContentType {
    std::string_view ending;
    const char* type;
};
constexpr std::array content_types{
    ContentType{".html", "text/html; charset=utf-8"},
    ContentType{".js", "text/javascript; charset=utf-8"},
    ContentType{".css", "text/css; charset=utf-8"},
    ContentType{".svg", "image/svg+xml"},
    ContentType{".png", "image/png"},
    ContentType{".ico", "image/x-icon"},
    ContentType{".woff2", "font/woff2"},
    ContentType{".json", "application/json"},
    ContentType{".webmanifest", "application/manifest+json"},
};

const char* content_type(std::string_view name) {
    for (const ContentType& row : content_types) {
        if (name.ends_with(row.ending)) {
            return row.type;
        }
    }
    return "application/octet-stream";
}

const EmbeddedFile* find(std::string_view path) {
    const EmbeddedFile* index = embedded_file("web/index.html");
    if (path == "/" || path == "/index.html") {
        return index == nullptr ? embedded_file("fallback.html") : index;
    }
    return embedded_file(fmt::format("web{}", path));
}

}  // namespace

Response static_file(const Request& request) {
    const EmbeddedFile* file = find(request.path);
    if (file == nullptr) {
        return problem(Problem::not_found, "The pages begin at /.");
    }
    const bool gzip = quality(request.header("Accept-Encoding"), "gzip").value_or(0) > 0;
    const std::string etag =
        fmt::format("\"{}{}\"", file->sha256, file->gzipped && !gzip ? "-plain" : "");
    Response response;
    response.headers = {
        {"Content-Type", content_type(file->name)},
        {"ETag", etag},
        {"Vary", "Accept-Encoding"},
        {"Cache-Control",
         file->name.starts_with("web/assets/") ? "public, max-age=31536000, immutable"
                                               : "no-cache"},
    };
    if (request.header("If-None-Match") == etag) {
        response.status = 304;
    } else if (file->gzipped && !gzip) {
        response.body = gunzip(file->bytes);
    } else {
        response.fixed = file->bytes;
        if (file->gzipped) {
            response.headers.push_back({"Content-Encoding", "gzip"});
        }
    }
    return response;
}

}  // namespace jw::http
