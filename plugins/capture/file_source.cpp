#include "file_source.hpp"

#include "address.hpp"
#include "container_size.hpp"
#include "uri_element.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/base/unique_fd.hpp>

namespace capture {

namespace {

std::string path_of(const std::string& uri) {
  if (uri.rfind("file://", 0) != 0) return uri;
  GError* raw = nullptr;
  const reel::gst::Text path(g_filename_from_uri(uri.c_str(), nullptr, &raw));
  const reel::gst::Ptr<GError> error(raw);
  if (!path)
    throw reel::Error(reel::ErrorCode::bad_config, "uri \"" + path_without_secret(uri) +
                                                       "\" names no file: " + error->message +
                                                       "; write file:///absolute/path, or a path");
  return path.get();
}

}  // namespace

FileSource::FileSource(const std::string& uri) : Source(path_without_secret(uri)), path_(path_of(uri)) {}

void FileSource::check() const {
  using reel::Error;
  using reel::ErrorCode;
  const reel::UniqueFd fd(open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    const int reason = errno;
    const std::string text = "cannot open the clip \"" + uri() + "\": " + std::strerror(reason);
    if (reason == ENOENT || reason == ENOTDIR)
      throw Error(ErrorCode::bad_config,
                  text + "; check the option uri (a relative path starts at the pipeline file)");
    if (reason == EACCES || reason == EPERM)
      throw Error(ErrorCode::bad_config, text + "; make it readable for this user (chmod a+r)");
    throw Error(ErrorCode::io, text);
  }
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) reel::throw_errno(errno, "looking at \"" + uri() + "\"");
  if (S_ISDIR(status.st_mode))
    throw Error(ErrorCode::bad_config, "the clip \"" + uri() + "\" is a directory: name a media file in it");
  if (S_ISREG(status.st_mode) && status.st_size == 0)
    throw Error(ErrorCode::bad_config,
                "the clip \"" + uri() + "\" is empty (0 bytes): copy or record it again");
}

reel::gst::Ptr<GstElement> FileSource::make_element(const Wanted& wanted) const {
  const reel::gst::Text escaped(gst_filename_to_uri(path_.c_str(), nullptr));
  return make_uri_element(escaped.get(), wanted);
}

std::string FileSource::defect() const {
  const std::optional<SizeMismatch> mismatch = find_truncation(path_);
  if (!mismatch) return {};
  return "it is truncated: its headers promise " + std::to_string(mismatch->promised_bytes) +
         " bytes, it has " + std::to_string(mismatch->actual_bytes) + "; copy or record it again";
}

}  // namespace capture
