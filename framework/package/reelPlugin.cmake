# reel_plugin(<name> SOURCES <files> [LIBRARIES <targets>]): the module <name>.so, a stage that pipelines name ("use: acme.glow").
# It lies in the build directory; installed, it goes to where a Reel of the same prefix looks.
function(reel_plugin name)
  cmake_parse_arguments(PLUGIN "" "" "SOURCES;LIBRARIES" ${ARGN})
  if(NOT PLUGIN_SOURCES)
    message(FATAL_ERROR "reel_plugin(${name}): no SOURCES")
  endif()
  string(REGEX REPLACE "[^A-Za-z0-9_]" "_" target "reel_plugin_${name}")
  add_library(${target} MODULE ${PLUGIN_SOURCES})
  target_link_libraries(${target} PRIVATE reel::reel ${PLUGIN_LIBRARIES})
  set_target_properties(${target} PROPERTIES
    PREFIX "" SUFFIX .so OUTPUT_NAME "${name}" CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    CXX_EXTENSIONS OFF LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR} INSTALL_RPATH "$ORIGIN/../..")
  install(TARGETS ${target} LIBRARY DESTINATION ${reel_PLUGIN_SUBDIR})
endfunction()
