#include "sanitizers.hpp"

#include <cstdlib>
#include <string>

#include <gst/gst.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

namespace gstreamer_test {

#ifdef __SANITIZE_ADDRESS__
void init_gst() {
  {
    // Where there is no registry yet all plugins are loaded once: what they lose is theirs.
    const __lsan::ScopedDisabler plugins_are_looked_through;
    gst_init(nullptr, nullptr);
  }
  // From here on only children are meant. Leaks of other programs than the tests are not looked for: they and
  // the libraries that they load keep much until they end.
  const char* options = std::getenv("ASAN_OPTIONS");
  const std::string of_children = (options != nullptr ? options + std::string(":") : "") + "detect_leaks=0";
  ::setenv("ASAN_OPTIONS", of_children.c_str(), 1);
  ::setenv("LD_PRELOAD", ASAN_RUNTIME, 1);
}
#else
void init_gst() {
  gst_init(nullptr, nullptr);
}
#endif

}  // namespace gstreamer_test
