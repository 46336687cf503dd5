# Playback.
if(NOT TARGET reel_record_play)
  return()
endif()
add_library(reel_test_recordings STATIC made_recording.cpp)
target_link_libraries(reel_test_recordings PUBLIC reel_record_play GTest::gtest)
reel_test(record_play SOURCES play_player_test.cpp play_parts_test.cpp ${leaks} LIBRARIES reel_test_recordings LABELS asan)
reel_test(record_playback SOURCES play_stage_test.cpp LIBRARIES reel_test_recordings)
add_dependencies(record_playback reel_plugin_playback)

# In pipelines, on what the recorder itself has made.
set(played reel_command reel_stage_host reel_plugin_playback reel_plugin_record reel_plugin_capture reel_plugin_opencv_motion
    reel_plugin_opencv_flip)
foreach(needed ${played})
  if(NOT TARGET ${needed})
    message(STATUS "tests/plugins/record: no ${needed}, playback is not run in pipelines")
    return()
  endif()
endforeach()
reel_test(record_play_pipeline SOURCES play_pipeline_test.cpp
  LIBRARIES reel_record_recording LABELS process TIMEOUT 300)
add_dependencies(record_play_pipeline ${played})
target_compile_definitions(record_play_pipeline PRIVATE REEL_QUICKSTART="${PROJECT_SOURCE_DIR}/configs/quickstart.yaml")
