# Bad input and faults, on the real stage: cameras, clocks, disks and machines that are not as they should be.
if(NOT TARGET reel_plugin_record OR NOT TARGET reel_stage_host OR NOT TARGET reel_plugin_synthetic_source)
  return()
endif()
# Into the stage's process, so nothing of ours is linked.
add_library(reel_fault_shim MODULE fault_shim.cpp)
add_library(reel_test_faults STATIC fault_pipeline.cpp own_mounts.cpp recordings.cpp)
target_include_directories(reel_test_faults PUBLIC ${PROJECT_SOURCE_DIR}/tests/pipelines)
target_link_libraries(reel_test_faults PUBLIC reel_record_parts reel_test_pipelines GTest::gmock)
target_compile_definitions(reel_test_faults PRIVATE REEL_FAULT_SHIM="$<TARGET_FILE:reel_fault_shim>")
add_dependencies(reel_test_faults reel_fault_shim)

set(started reel_plugin_record reel_plugin_synthetic_source reel_command reel_stage_host)
reel_test(record_fault SOURCES fault_camera_test.cpp fault_clock_test.cpp fault_directory_test.cpp fault_machine_test.cpp LIBRARIES reel_test_faults TIMEOUT 300)
add_dependencies(record_fault ${started})
if(TARGET reel_plugin_capture)
  add_dependencies(record_fault reel_plugin_capture)
endif()
# How much a kill costs is stated in seconds: not of a machine that other tests keep busy.
reel_test(record_fault_kill SOURCES fault_kill_sound_test.cpp LIBRARIES reel_test_faults TIMEOUT 300 SERIAL)
add_dependencies(record_fault_kill ${started})
