// A launch line as a pipeline: Reel's elements loaded, the stage's streams and what its pipeline file says of
// them filled in, every mistake as an Error. Called once by the stage's process, in its first thread.
#pragma once

#include <string>
#include <vector>

#include <reel/gst/pointers.hpp>
#include <reel/stage/run.hpp>

namespace reel::gst {

/// gst_init, and libgstreel.so of the build or installation that this program belongs to, whatever
/// GST_PLUGIN_PATH says. Throws Error{unsupported}.
void start_gstreamer();

/// The launch line of the option `launch`, streams filled in. Throws Error{bad_config} when their number is
/// not that of its open ends, or for a setting of a stream that reelsink has not.
[[nodiscard]] std::string launch_of(const StageSetup& setup);

/// The pipeline that `launch` describes, in NULL. Throws Error{unsupported} for an element that is not there,
/// {bad_config} for everything else that GStreamer says of the line.
[[nodiscard]] Ptr<GstElement> parse(const std::string& launch);

}  // namespace reel::gst
