# `cpack -G DEB` (or `cpack -G RPM`, where rpmbuild is installed) in a build folder makes the package: the program, its unit, and
# a config in /etc/otterbeat. With SOURCE_DATE_EPOCH set, the same sources give the same bytes.
set(CPACK_PACKAGE_NAME otterbeat)
set(CPACK_PACKAGE_CONTACT "The otterbeat developers <otterbeat@users.noreply.github.com>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "push agent for the statistics of Alibaba Otter")
set(CPACK_PACKAGE_DESCRIPTION "otterbeat reads the statistics that Alibaba Otter keeps in its manager's
database and shows on its pages, and sends what changed to StatsD,
DogStatsD and Graphite. It loses nothing and counts nothing twice when
it, the database or carbon is killed.")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_OTTERBEAT_STRIP ${CMAKE_STRIP}) # for stage.cmake
set(CPACK_SET_DESTDIR OFF)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/stage.cmake)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS tzdata)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS logrotate)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
        ${CMAKE_CURRENT_LIST_DIR}/conffiles ${CMAKE_CURRENT_LIST_DIR}/postinst ${CMAKE_CURRENT_LIST_DIR}/prerm
        ${CMAKE_CURRENT_LIST_DIR}/postrm)

set(CPACK_RPM_PACKAGE_LICENSE Apache-2.0)
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_USER_FILELIST "%config(noreplace) /etc/otterbeat/otterbeat.cfg"
        "%config(noreplace) /etc/logrotate.d/otterbeat")
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION /etc /etc/logrotate.d /usr/share/man /usr/share/man/man1 /usr/share/man/man5 /lib
        /usr/lib/systemd /usr/lib/systemd/system)

set(CPACK_GENERATOR DEB)
include(CPack)
