# cmake -DROOT=<repository> -P check_sources.cmake: what every source must keep to, one line for each that does not.
#   no #include "../..."; a header has #pragma once and opens with a comment; no file above 500 lines;
#   in the framework third-party headers are for .cpp files only (channel's two OpenCV headers aside): nobody includes the
#   headers of a plugin, a program or framework/python (a module of Python's), but everybody those of the library.
set(MOST_LINES 500)

# What those headers may include: of the standard library (<vector>), of Reel, beside the file ("x.hpp"), or of the operating system.
set(ALLOWED_IN_HEADERS
  "[a-z_0-9]+>" "reel/[a-z_0-9/]+\\.hpp>" "[a-z_0-9]+\\.hpp\"" "(sys|linux|netinet|arpa)/[a-z_0-9]+\\.h>"
  "(errno|fcntl|immintrin|poll|pthread|sched|semaphore|signal|spawn|time|unistd)\\.h>")
list(JOIN ALLOWED_IN_HEADERS "|" allowed)

set(wrong)
macro(complain file what)
  list(APPEND wrong "${file}: ${what}")
endmacro()

foreach(folder framework plugins apps tests)
  file(GLOB_RECURSE sources RELATIVE ${ROOT} ${ROOT}/${folder}/*.cpp ${ROOT}/${folder}/*.hpp)
  foreach(source ${sources})
    # Brackets and semicolons would be taken for list syntax.
    file(READ ${ROOT}/${source} text)
    string(REGEX REPLACE "[][;]" "." text "${text}")
    string(REGEX MATCHALL "\n" lines "${text}")
    list(LENGTH lines line_count)
    if(line_count GREATER MOST_LINES)
      complain(${source} "${line_count} lines, at most ${MOST_LINES}")
    endif()
    string(REGEX MATCHALL "(^|\n)[ \t]*#[ \t]*include[ \t]+[<\"][^\n>\"]*[>\"]" includes "${text}")
    foreach(include ${includes})
      string(REGEX MATCH "[<\"](.*)$" ignored "${include}")
      set(target "${CMAKE_MATCH_1}")
      if(target MATCHES "^\\.\\./")
        complain(${source} "include \"${target}: name it from its include root")
      elseif(source MATCHES "^framework/.*\\.hpp$" AND NOT source MATCHES "/reel/channel/opencv(_convert)?\\.hpp$|^framework/python/"
             AND NOT target MATCHES "^(${allowed})$")
        complain(${source} "include ${target}: third-party headers belong into .cpp files")
      endif()
    endforeach()
    if(source MATCHES "\\.hpp$")
      if(NOT text MATCHES "(^|\n)#pragma once\n")
        complain(${source} "no #pragma once")
      endif()
      if(NOT text MATCHES "^//")
        complain(${source} "does not open with a comment on what it is, who calls it and from which thread")
      endif()
    endif()
  endforeach()
endforeach()

if(wrong)
  list(JOIN wrong "\n" wrong)
  message(FATAL_ERROR "\n${wrong}\n")
endif()
