# Looks GStreamer up once for every plugin that uses it. Sets REEL_GSTREAMER_FOUND; the target is PkgConfig::REEL_GSTREAMER.
include_guard(GLOBAL)
pkg_check_modules(REEL_GSTREAMER QUIET IMPORTED_TARGET GLOBAL
  gstreamer-1.0>=1.20 gstreamer-base-1.0 gstreamer-app-1.0 gstreamer-video-1.0 gstreamer-audio-1.0 gstreamer-pbutils-1.0)
if(REEL_GSTREAMER_FOUND)
  message(STATUS "GStreamer ${REEL_GSTREAMER_gstreamer-1.0_VERSION}: capture is built")
else()
  message(STATUS "GStreamer 1.20 or newer not found: capture is skipped "
    "(Debian: libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev)")
endif()
set(REEL_GSTREAMER_FOUND ${REEL_GSTREAMER_FOUND} CACHE INTERNAL "GStreamer's development files are there")
