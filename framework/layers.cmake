# The direction of dependency. Each layer has an include root of its own, so a header of a layer that was not declared does not
# even compile, and reel_layer() refuses an upward link when CMake runs (tests/house shows both).

# Low to high: each may use only those before it.
set(REEL_LAYERS base format shm ring channel stats stage service pipeline)

# reel_layer(<name> USES <lower layers> SOURCES <files in src/> LIBRARIES <third-party, seen by this layer's .cpp files alone>)
function(reel_layer name)
  cmake_parse_arguments(LAYER "" "" "USES;SOURCES;LIBRARIES" ${ARGN})
  list(FIND REEL_LAYERS ${name} height)
  if(height EQUAL -1)
    message(FATAL_ERROR "reel_layer: '${name}' is not in REEL_LAYERS (${REEL_LAYERS})")
  endif()
  list(TRANSFORM LAYER_SOURCES PREPEND src/)
  add_library(reel_${name} OBJECT ${LAYER_SOURCES})
  target_include_directories(reel_${name} PUBLIC
    $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>)
  foreach(used ${LAYER_USES})
    list(FIND REEL_LAYERS ${used} used_height)
    if(used_height EQUAL -1 OR NOT used_height LESS height)
      message(FATAL_ERROR "layer '${name}' may not use '${used}': only the layers before it in ${REEL_LAYERS}")
    endif()
    target_include_directories(reel_${name} PUBLIC
      $<BUILD_INTERFACE:${CMAKE_CURRENT_FUNCTION_LIST_DIR}/${used}/include>)
  endforeach()
  target_link_libraries(reel_${name} PRIVATE ${LAYER_LIBRARIES})
  install(DIRECTORY include/reel TYPE INCLUDE)
endfunction()
