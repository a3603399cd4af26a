# A layer is a folder of native/: a static library of its sources, with its test programs in LAYER/tests. Includes name files
# from native/ ("scheme/context.h") or stand beside the file; scripts/native-layering.mjs checks that they go downwards.

# heml_join_sources(target): compiles several sources of the target at a time, since most of a file's time goes to headers that all
# share. Sources with flags of their own stay alone. Names in unnamed namespaces must differ within a layer.
function(heml_join_sources target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
endfunction()

set(HE_ML_SHARED_NATIVE ${CMAKE_CURRENT_LIST_DIR}/../native)

# heml_add_layer(NAME USES layer...), in the layer's own CMakeLists.txt: heml_NAME from every .cpp of its folder and those
# below, tests and bench excepted. Tests of a layer from outside this project are that project's business.
function(heml_add_layer name)
  cmake_parse_arguments(arg "" "" "USES" ${ARGN})
  set(dir ${CMAKE_CURRENT_LIST_DIR})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${dir}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/(tests|bench)/[^/]*$")
  add_library(heml_${name} STATIC ${sources})
  heml_join_sources(heml_${name})
  target_include_directories(heml_${name} PUBLIC ${dir}/..)
  list(TRANSFORM arg_USES PREPEND heml_)
  target_link_libraries(heml_${name} PUBLIC ${arg_USES})
  string(FIND ${dir} ${CMAKE_SOURCE_DIR}/ at)
  if(at EQUAL 0)
    heml_add_tests(${dir}/tests heml_${name})
  endif()
endfunction()

# heml_add_tests(folder library...): a program and a test for every *-test.cpp in the folder.
function(heml_add_tests dir)
  if(HE_ML_NATIVE_TESTS)
    file(GLOB sources CONFIGURE_DEPENDS ${dir}/*-test.cpp)
    foreach(source ${sources})
      get_filename_component(name ${source} NAME_WE)
      add_executable(${name} ${source})
      target_link_libraries(${name} PRIVATE ${ARGN})
      # testing/test.h; not for all targets, whose objects would have to be made again with other flags
      target_include_directories(${name} PRIVATE ${HE_ML_SHARED_NATIVE})
      add_test(NAME ${name} COMMAND ${name})
    endforeach()
  endif()
endfunction()

# heml_add_addon(NAME layer...), in the addon's own CMakeLists.txt: NAME.node from every .cpp of its folder; the component `addon`
# of an installation.
function(heml_add_addon name)
  if(HE_ML_NODE_HEADERS)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.cpp)
    add_library(${name} MODULE ${sources})
    heml_join_sources(${name})
    set(layers ${ARGN})
    list(TRANSFORM layers PREPEND heml_)
    target_link_libraries(${name} PRIVATE heml_node ${layers})
    set_target_properties(${name} PROPERTIES PREFIX "" SUFFIX ".node")
    if(APPLE)
      target_link_options(${name} PRIVATE -undefined dynamic_lookup)
    elseif(HE_ML_HAVE_STATIC_CXX)
      target_link_options(${name} PRIVATE ${HE_ML_STATIC_CXX})
    endif()
    install(TARGETS ${name} LIBRARY DESTINATION . COMPONENT addon)
  endif()
endfunction()

# heml_add_bench(folder NAME layer...): the benchmark program NAME from NAME.cpp in the folder.
function(heml_add_bench dir name)
  if(HE_ML_NATIVE_BENCH)
    add_executable(${name} ${dir}/${name}.cpp)
    set(layers ${ARGN})
    list(TRANSFORM layers PREPEND heml_)
    target_link_libraries(${name} PRIVATE ${layers})
    target_include_directories(${name} PRIVATE ${HE_ML_SHARED_NATIVE}) # testing/test.h, by the helpers of tests
  endif()
endfunction()
