# A layer is a folder of native/: a static library of its sources, with its test programs in LAYER/tests. Includes name files
# from native/ ("scheme/context.h") or stand beside the file; scripts/native-layering.mjs checks that they go downwards.

# heml_add_layer(NAME USES layer...): heml_NAME from every .cpp of native/NAME and its folders, tests and bench excepted.
function(heml_add_layer name)
  cmake_parse_arguments(arg "" "" "USES" ${ARGN})
  set(dir ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${dir}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/(tests|bench)/")
  add_library(heml_${name} STATIC ${sources})
  target_include_directories(heml_${name} PUBLIC ${CMAKE_CURRENT_FUNCTION_LIST_DIR})
  list(TRANSFORM arg_USES PREPEND heml_)
  target_link_libraries(heml_${name} PUBLIC ${arg_USES})
  heml_add_tests(${dir}/tests heml_${name})
endfunction()

# heml_add_tests(folder library...): a program and a test for every *-test.cpp in the folder.
function(heml_add_tests dir)
  if(HE_ML_NATIVE_TESTS)
    file(GLOB sources CONFIGURE_DEPENDS ${dir}/*-test.cpp)
    foreach(source ${sources})
      get_filename_component(name ${source} NAME_WE)
      add_executable(${name} ${source})
      target_link_libraries(${name} PRIVATE ${ARGN})
      add_test(NAME ${name} COMMAND ${name})
    endforeach()
  endif()
endfunction()
