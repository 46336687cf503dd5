// GStreamer, and programs of its, in a test that is built with AddressSanitizer. Without it: gst_init().
#pragma once

namespace gstreamer_test {

/// gst_init() after which programs that this process starts can load our elements too. Once, before threads.
void init_gst();

}  // namespace gstreamer_test
