# reel_layer() lets a layer use what is below it and refuses everything else when CMake runs; a header of a layer that was not
# declared is not found. Each case is a small project of two layers that includes the real layers.cmake.
file(REMOVE_RECURSE ${SCRATCH})

# configure(<case> <layer> <the layer it uses>): result and messages in the caller's scope
function(configure case layer uses)
  set(project ${SCRATCH}/${case})
  file(COPY ${LAYERS} DESTINATION ${project})
  file(WRITE ${project}/base/include/reel/base/below.hpp "#pragma once\n")
  file(WRITE ${project}/src/layer.cpp "#include <reel/base/below.hpp>\nint layer() { return 0; }\n")
  file(WRITE ${project}/CMakeLists.txt "cmake_minimum_required(VERSION 3.22)\nproject(layering LANGUAGES CXX)\n"
    "include(layers.cmake)\nreel_layer(${layer} USES ${uses} SOURCES layer.cpp)\n")
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${project} -B ${project}/build -DCMAKE_CXX_COMPILER=${COMPILER}
    RESULT_VARIABLE result ERROR_VARIABLE messages OUTPUT_QUIET)
  set(result ${result} PARENT_SCOPE)
  set(messages "${messages}" PARENT_SCOPE)
endfunction()

function(expect_refused case layer uses message)
  configure(${case} ${layer} ${uses})
  if(result EQUAL 0 OR NOT messages MATCHES "${message}")
    message(FATAL_ERROR "${layer} using ${uses}: expected to be refused with \"${message}\", got status ${result}: ${messages}")
  endif()
endfunction()

function(build case result_variable)
  execute_process(COMMAND ${CMAKE_COMMAND} --build ${SCRATCH}/${case}/build
    RESULT_VARIABLE result OUTPUT_QUIET ERROR_QUIET)
  set(${result_variable} ${result} PARENT_SCOPE)
endfunction()

configure(downward ring base)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "a downward link was refused: ${messages}")
endif()
build(downward built)
if(NOT built EQUAL 0)
  message(FATAL_ERROR "a header of a declared layer was not found")
endif()

configure(undeclared ring shm)
build(undeclared built)
if(built EQUAL 0)
  message(FATAL_ERROR "a header of an undeclared layer was found")
endif()

expect_refused(upward base ring "layer 'base' may not use 'ring'")
expect_refused(itself ring ring "layer 'ring' may not use 'ring'")
expect_refused(no_such ring rings "layer 'ring' may not use 'rings'")
expect_refused(no_layer rings base "'rings' is not in REEL_LAYERS")
