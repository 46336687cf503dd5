// An encoder in GStreamer that is slow, hangs or fails as a file says, in place of one that a recorder would
// take: `vah264enc`, the first choice for H.264, is of this kind where GST_PLUGIN_PATH has the folder
// tests/faulty_encoder of a build tree. In the process of a test: register_faulty_encoder().
//
// The file named by REEL_FAULTY_ENCODER is read with each frame that comes, and says one of
//   sleep MICROSECONDS   each frame takes so much longer
//   hang [NUMBER]        nothing goes on, stopping neither, until the file says something else; from the
//                        element's NUMBERth frame on
//   open                 it cannot be opened: that goes on until the file says something else
//   swallow [NUMBER]     frames are taken and nothing comes of them
//   error NUMBER         the element's NUMBERth frame (from 1) is an error
// Without the file, and with any other text, it encodes as any other. Thread-safe.
#pragma once

#include <string>

#include <gst/gst.h>

namespace reel_test {

/// Elements called `name` are made from now on of `encoder` and are faulty; `name` may be `encoder` itself,
/// which this process then has only so. Both live as long as the process; `plugin` may be nullptr. REQUIRES:
/// gst_init().
bool register_faulty_encoder(GstPlugin* plugin, const char* name, const char* encoder);

/// Muxers called `muxer` hang from now on when the file says so, with each track's frames; nothing else of
/// the above. Lives as long as the process. REQUIRES: gst_init().
bool register_hanging_muxer(const char* muxer);

/// Makes the file say `text`, at once.
void steer_encoder(const std::string& file, const std::string& text);

}  // namespace reel_test
