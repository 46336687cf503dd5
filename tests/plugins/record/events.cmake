# Events: rules, calls, pre-roll, schedules, the hook.
if(TARGET reel_record_events)
  reel_test(record_events
    SOURCES event_rule_test.cpp event_trigger_test.cpp event_schedule_test.cpp event_desk_test.cpp event_server_test.cpp
            event_hook_test.cpp http_client.cpp
    LIBRARIES reel_record_events nlohmann_json::nlohmann_json LABELS asan)
endif()
if(TARGET reel_record_gate)
  reel_test(record_gate SOURCES event_gate_test.cpp event_pre_roll_test.cpp ${leaks} LIBRARIES reel_record_gate LABELS asan)
endif()
if(TARGET reel_plugin_record AND TARGET reel_plugin_capture AND TARGET reel_plugin_opencv_motion AND TARGET reel_stage_host)
  reel_test(record_event_pipeline
    SOURCES recordings.cpp http_client.cpp event_pipeline_test.cpp
    LIBRARIES reel_record_parts reel_test_pipelines TIMEOUT 300)
  target_include_directories(record_event_pipeline PRIVATE ${PROJECT_SOURCE_DIR}/tests/pipelines)
  add_dependencies(record_event_pipeline
    reel_plugin_record reel_plugin_capture reel_plugin_opencv_motion reel_plugin_synthetic_source reel_command reel_stage_host)
endif()
