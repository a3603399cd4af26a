# What every C++ project of HE-ML begins with, after project(): flags, options, and the layers that all share, runtime and
# node. Each addon compiles these for itself, with hidden names, so that two addons in one process have nothing in common.
#   HE_ML_NATIVE_TESTS  the C++ test programs
#   HE_ML_NATIVE_BENCH  the benchmark programs
#   HE_ML_SANITIZE      for example address,undefined or thread
#   HE_ML_NODE_HEADERS  folders of node-api-headers and node-addon-api; without them no addon is built
option(HE_ML_NATIVE_TESTS "Build the C++ test programs" OFF)
option(HE_ML_NATIVE_BENCH "Build the benchmark programs" OFF)
set(HE_ML_SANITIZE "" CACHE STRING "Sanitizers for every target, for example address,undefined")
set(HE_ML_NODE_HEADERS "" CACHE STRING "Include folders of node-api-headers and node-addon-api")
include(CheckCXXCompilerFlag)
include(CheckLinkerFlag)
include(${CMAKE_CURRENT_LIST_DIR}/layers.cmake)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON) # unsigned __int128
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_CXX_FLAGS_RELEASE "-O3") # assertions stay on
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1") # for sanitizers: -O2 -g takes four times as long to compile

# No contraction: rounded corrections and f32 loops must agree bit for bit between kernels.
add_compile_options(-ffp-contract=off -Wall -Wextra)
if(HE_ML_SANITIZE)
  add_compile_options(-fsanitize=${HE_ML_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${HE_ML_SANITIZE})
endif()
# An addon brings the C++ library with it where a static one is there, with names of its own, as Node and other addons have theirs:
# the machine it is carried to may have an older one. Unused sections go, and with them what only a newer glibc has.
if(CMAKE_SYSTEM_NAME STREQUAL "Linux" AND HE_ML_NODE_HEADERS)
  set(HE_ML_STATIC_CXX -static-libstdc++ -Wl,--exclude-libs,ALL -Wl,--gc-sections)
  check_linker_flag(CXX "${HE_ML_STATIC_CXX}" HE_ML_HAVE_STATIC_CXX)
endif()
if(HE_ML_NATIVE_TESTS)
  enable_testing()
endif()

include(${CMAKE_CURRENT_LIST_DIR}/../native/runtime/CMakeLists.txt)
include(${CMAKE_CURRENT_LIST_DIR}/../native/node/CMakeLists.txt)
