# install_compressed(FILE DESTINATION [RENAME name]): installs FILE as name.gz, without a time stamp.

find_program(GZIP gzip REQUIRED)

function(install_compressed source destination)
  cmake_parse_arguments(PARSE_ARGV 2 given "" RENAME "")
  get_filename_component(name ${source} NAME)
  if(given_RENAME)
    set(name ${given_RENAME})
  endif()
  set(output ${CMAKE_CURRENT_BINARY_DIR}/compressed/${name}.gz)
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/compressed)
  add_custom_command(OUTPUT ${output} COMMAND ${GZIP} -9nc ${source} > ${output} DEPENDS ${source} VERBATIM)
  string(MAKE_C_IDENTIFIER compressed_${name} target)
  add_custom_target(${target} ALL DEPENDS ${output})
  install(FILES ${output} DESTINATION ${destination})
endfunction()
