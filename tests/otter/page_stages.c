#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/memory.h"
#include "tests/otter/figures.h"
#include "tests/otter/keeper.h"
#include "tests/otter/screens.h"
#include "tests/otter/template.h"

enum { CHANNEL, DELAY, DELAY_ID, DELAY_AT, SYNC_AT, NODES };

enum { STAGES_DONE_MOST = 3, PROCESSES_MOST = 4, BAR_WIDTH = 800, ROW_BYTES = 512 };

static const char query[] =
        "select p.CHANNEL_ID, d.DELAY_TIME, d.ID, unix_timestamp(d.GMT_MODIFIED),"
        " (select unix_timestamp(GMT_MODIFIED) from THROUGHPUT_STAT t where t.PIPELINE_ID = p.ID"
        " and TYPE = 'ROW' order by END_TIME desc, ID desc limit 1),"
        " (select count(*) from NODE)"
        " from PIPELINE p left join DELAY_STAT d on d.ID = (select ID from DELAY_STAT where PIPELINE_ID = p.ID"
        " order by GMT_MODIFIED desc, ID desc limit 1) where p.ID = ";

static const char top[] =
        "<script language=\"javascript\">\n"
        "<!--\n"
        "\tchangeNav(\"sync\");\n"
        "//-->\n"
        "</script>\n"
        "<div class=\"main\">\n"
        "  <div class=\"title\"> \n"
        "    <h2>同步进度</h2>\n"
        "  </div>\n"
        "  <div class=\"crumbs\"><a href=\"channelList.htm?channelId=$channel\">channel管理</a>"
        "&nbsp;&nbsp;>&nbsp;&nbsp;<a href=\"analysisStageStat.htm?pipelineId=$id\">同步进度</a></div>   \n"
        "     <div class=\"tab\" id=\"Tab2\">\n"
        "        <ul>\n"
        "        <li id=\"two3\"><a href=\"analysisDelayStat.htm?pipelineId=$id\">延迟时间</a></li>\n"
        "        <li id=\"two4\" class=\"tab_active\"><a href=\"analysisStageStat.htm?pipelineId=$id\">同步进度</a></li>\n"
        "        </ul>\n"
        "\t\t\t\t<table border=\"0\" cellspacing=\"0\" cellpadding=\"0\" id=\"list\" style=\"table-layout:fixed\">\n"
        "                     <tr align=\"left\"> \n"
        "\t\t\t\t\t\t<th>SELECT:</th>\n"
        "\t\t\t\t\t\t<th><div style=\"width:12px; height:12px; background-color:#D9B300;\"></div></th>\n"
        "\t\t\t\t\t\t<th>EXTRACT:</th>\n"
        "\t\t\t\t\t\t<th><div style=\"width:12px; height:12px; background-color:#FFC1E0;\"></div></th>\n"
        "\t\t\t\t\t\t<th>TRANSFORM:</th>\n"
        "\t\t\t\t\t\t<th><div style=\"width:12px; height:12px; background-color:#4DFFFF;\"></div></th>\n"
        "\t\t\t\t\t\t<th>LOAD:</th>\n"
        "\t\t\t\t\t\t<th><div style=\"width:12px; height:12px; background-color:#79FF79;\"></div></th>\n"
        "\t\t\t\t\t\t<th>RUNNING:</th>\n"
        "\t\t\t\t\t\t<th><div style=\"width:12px; height:12px; background-color:#FF2D2D;\"></div></th>\n"
        "\t\t\t\t\t\t<th>END:</th>\n"
        "\t\t\t\t\t\t<th><div style=\"width:12px; height:12px; background-color:#2bbb2e;\"></div></th>\n"
        "\t\t\t\t\t </tr>\n"
        "\t\t\t\t\t </table>\n"
        "\t\t\t\t\t <table>\n"
        "\t\t\t\t\t <tr>\n"
        "\t\t\t\t\t\t<th><div style=\"height:12px;\"></div>(单位&nbsp;:&nbsp;&nbsp;毫秒)</th>\n"
        "\t\t\t\t\t </tr>\n"
        "\t\t\t\t\t </table>\n"
        "\t\t\t\t\t <table class=\"list changecolor_w\" border=\"0\" cellspacing=\"0\" cellpadding=\"0\">\n"
        "\t\t\t\t\t <tr>\n"
        "\t\t\t\t\t\t<td style=\"width:25%\">mainstem状态 : </td>\n"
        "\t\t\t\t\t\t<td style=\"width:72%\">\n"
        "                    \t\t                    \t\t\t";

static const char on_a_node[] =
        " ( node : $node ) <span class=\"ico_line\">|</span> <a href=\"$site/node_info.htm?nodeId=$node\">"
        "<img src=\"images/ico_edit.png\" width=\"13\" height=\"13\" /><span class=\"ico_font\">查看</span></a>";

static const char position_begin[] = "\n"
                                     "\t\t\t\t\t\t\t\t</b></td>\n"
                                     "\t\t\t\t\t </tr>\n"
                                     "\t\t\t\t\t <tr>\n"
                                     "\t\t\t\t\t\t<td style=\"width:25%\">position 状态 : </td>\n"
                                     "\t\t\t\t\t\t<td style=\"width:72%\">\n"
                                     "                    \t\t                    \t\t\t";

static const char position_date[] =
        "最后更新时间 : $position <span class=\"ico_line\">|</span><img src=\"images/ico_edit.png\" width=\"13\""
        " height=\"13\" /><a id=\"showtext-position\" onClick=\"showdiv('contentid-position','showtext-position')\">"
        "<span class=\"ico_font\">查看</span></a>";

static const char position_json[] = "\n"
                                    "\t\t\t\t\t\t\t\t</b></td>\n"
                                    "\t\t\t\t\t </tr>\n"
                                    "\t\t\t\t\t <tr>\n"
                                    "\t\t\t\t\t\t<td width=\"100%\" colspan=\"2\" class=\"message\">\n"
                                    "\t\t\t\t\t\t\t<div id=\"contentid-position\" class=\"contentid\""
                                    " style=\"display:none\"> $!json </div>\n"
                                    "\t\t\t\t\t\t</td>\n"
                                    "\t\t\t\t\t </tr>\n"
                                    "\t\t\t\t\t </table>\n";

static const char process_begin[] =
        "\t\t\t\t\t<table border=\"0\" cellspacing=\"0\" cellpadding=\"0\" id=\"list\""
        " style=\"margin-top:16px;table-layout:fixed;\" onClick=\"displayLegendDiv(event);\">\n"
        "\t\t  <tr align=\"left\" style=\"background-color:#eee;\"> \n"
        "\t\t\t<td style=\"width:75px;height:30px;padding:0px 0px 0px 0px;text-align:center\">$process</td>\n"
        "\t\t\t<td style=\"width:1px;height:60px;background-color:#ddd;padding:0px 0px 0px 0px;\"></td>\n";

static const char process_end[] = "\t\t\t<td><b>&nbsp;&nbsp;&nbsp;总时间:$total</b></td>\n"
                                  "          </tr>\n"
                                  "\t\t   </table>\n";

static const char bottom[] = "\t\t\t\t \n"
                             "    </div>\n"
                             "  </div>\n"
                             "</div>\n";

static const char wait_cell[] =
        "\t\t\t\t\t\t\t<td style=\"width:$width;height:60px;padding:0px 0px 0px 0px;\">$ms</td>\n";

/* Only the first stage has an id, and only what is done has a title. */
static const char stage_cell[] = "\t\t\t\t\t\t\t<td $id style=\"width:$width;height:60px;background-color:$colour;"
                                 "padding:0px 0px 0px 0px;\" title=\"$!title\">$ms</td>\n";

static const char *const mainstems[] = {
        [FO_OFF] = "<font color=\"#FF0000\">未工作</font>",
        [FO_LOCATING] = "<font color=\"#FF0000\">定位中</font>",
        [FO_WORKING] = "工作中",
};

static const struct {
        const char *colour;
        const char *id;
        bool has_size;
} stages[STAGES_DONE_MOST] = {
        { .colour = "#D9B300", .id = "id =\"select\"", .has_size = true },
        { .colour = "#FFC1E0", .id = "", .has_size = true },
        { .colour = "#4DFFFF", .id = "" },
};

/*
 * What is in flight, from the oldest: the first one is being loaded, the next ones wait for
 * their turn at what they do, and the last one has only been announced.
 */
static const struct {
        int64_t wait;
        size_t done;
        bool runs;
} processes[PROCESSES_MOST] = {
        { .wait = 0, .done = 3, .runs = true },
        { .wait = 200, .done = 1, .runs = true },
        { .wait = 900, .done = 0, .runs = true },
        { .wait = 0, .done = 0, .runs = false },
};

/* All of it is made of the newest delay, so that it changes when that does. */
struct flight {
        int64_t ms[STAGES_DONE_MOST];
        int64_t whole; /* since the oldest process began */
        int64_t rows;
        bool comma;
};

static int64_t number_of(const char *text)
{
        return text ? strtoll(text, NULL, 10) : 0;
}

static void add_title(const struct flight *flight, size_t stage, struct fo_text *title)
{
        char figure[FO_FIGURE_SIZE];

        fo_text_addf(title, "number:%s&#10;", fo_figure_number(figure, flight->rows, flight->comma));
        if (stages[stage].has_size)
                fo_text_addf(
                        title, "size:%s&#10;", fo_figure_number(figure, flight->rows * ROW_BYTES, flight->comma));
        fo_text_add(title, "exts:&#10;&#09; currNid:1&#10;&#09; nextNid:3");
}

struct cell {
        const char *template;
        const char *id;
        const char *colour;
        const char *title;
        int64_t ms;
};

static void add_cell(const struct flight *flight, const struct cell *cell, struct fo_text *screen)
{
        char width[FO_FIGURE_SIZE];
        char figure[FO_FIGURE_SIZE];
        double pixels = (double)cell->ms * BAR_WIDTH / (double)flight->whole;
        const struct fo_value values[] = {
                { .name = "id", .value = cell->id, .raw = true },
                { .name = "colour", .value = cell->colour },
                { .name = "title", .value = cell->title, .raw = true },
                { .name = "width", .value = width },
                { .name = "ms", .value = fo_figure_number(figure, cell->ms, flight->comma) },
                { 0 },
        };

        snprintf(width, sizeof(width), "%.15gpx", pixels < 1 ? 1 : pixels);
        fo_template_add(screen, cell->template, values);
}

static void add_stage(const struct flight *flight, size_t stage, struct fo_text *screen)
{
        ob_cleanup(fo_text_fini) struct fo_text title = { 0 };
        struct cell cell = {
                .template = stage_cell,
                .id = stages[stage].id,
                .colour = stages[stage].colour,
                .ms = flight->ms[stage],
        };

        add_title(flight, stage, &title);
        cell.title = title.bytes;
        add_cell(flight, &cell, screen);
}

static void add_process(const struct flight *flight, size_t i, int64_t id, struct fo_text *screen)
{
        char figures[2][FO_FIGURE_SIZE];
        int64_t total = processes[i].runs ? flight->whole - processes[i].wait : 0;
        struct cell wait = { .template = wait_cell, .ms = processes[i].wait };
        struct cell running = { .template = stage_cell, .id = "", .colour = "#FF2D2D", .title = "", .ms = total };
        const struct fo_value values[] = {
                { .name = "process", .value = fo_figure_plain(figures[0], id) },
                { .name = "total", .value = fo_figure_number(figures[1], total, flight->comma) },
                { 0 },
        };

        fo_template_add(screen, process_begin, values);
        if (wait.ms)
                add_cell(flight, &wait, screen);
        for (size_t stage = 0; stage < processes[i].done; stage++) {
                add_stage(flight, stage, screen);
                running.ms -= flight->ms[stage];
        }
        if (processes[i].runs)
                add_cell(flight, &running, screen);
        fo_template_add(screen, process_end, values);
}

static void add_flight(const struct fo_visit *visit, int64_t pipeline, MYSQL_ROW row, struct fo_text *screen)
{
        int64_t delay = number_of(row[DELAY]);
        struct flight flight = {
                .ms = { 1000 + delay % 1000, 100 + delay % 50, 300 + delay % 70 },
                .rows = 1 + delay * 7 % 150000,
                .comma = fo_state_find(&visit->state, "decimal", "comma", NULL),
        };

        flight.whole = flight.ms[0] + flight.ms[1] + flight.ms[2] + delay;
        for (size_t i = 0; i <= (size_t)pipeline % PROCESSES_MOST; i++)
                add_process(&flight, i, number_of(row[DELAY_ID]) + (int64_t)i, screen);
}

/* Canal's own spelling; unescaped. The event that was read last is as old as the delay. */
static void add_position(int64_t pipeline, int64_t at, int64_t delay, struct fo_text *screen)
{
        ob_cleanup(fo_text_fini) struct fo_text json = { 0 };
        char date[FO_FIGURE_SIZE];
        struct fo_value values[] = {
                { .name = "position", .value = fo_figure_date(date, at) },
                { .name = "json", .raw = true },
                { 0 },
        };

        fo_text_add(screen, position_begin);
        if (!at) {
                fo_text_add(screen, "<font color=\"#FF0000\">无信息</font>");
                fo_template_add(screen, position_json, values);
                return;
        }
        fo_text_addf(&json,
                "{\"@type\":\"com.alibaba.otter.canal.protocol.position.LogPosition\",\"identity\":{\"slaveId\":-1,"
                "\"sourceAddress\":{\"address\":\"db-%" PRId64 ".example\",\"port\":3306}},\"postion\":"
                "{\"included\":false,\"journalName\":\"mysql-bin.%06" PRId64 "\",\"position\":%" PRId64
                ",\"serverId\":1,\"timestamp\":%" PRId64 "}}",
                pipeline, at / 86400 % 1000000, at % 86400 * 1000 + 4, (at * 1000 - delay) / 1000 * 1000);
        values[1].value = json.bytes;
        fo_template_add(screen, position_date, values);
        fo_template_add(screen, position_json, values);
}

static void add_all(const struct fo_visit *visit, int64_t pipeline, MYSQL_ROW row, struct fo_text *screen)
{
        const struct fo_state *state = &visit->state;
        int64_t nodes = number_of(row[NODES]);
        int64_t delay_at = number_of(row[DELAY_AT]);
        int64_t sync_at = number_of(row[SYNC_AT]);
        enum fo_mainstem mainstem = fo_keeper_mainstem(state, pipeline, number_of(row[CHANNEL]), nodes);
        char figures[2][FO_FIGURE_SIZE];
        const struct fo_value values[] = {
                { .name = "site", .value = visit->site->address, .raw = true },
                { .name = "channel", .value = row[CHANNEL] },
                { .name = "id", .value = fo_figure_plain(figures[0], pipeline) },
                { .name = "node", .value = fo_figure_plain(figures[1], fo_keeper_node_of(state, pipeline, nodes)) },
                { 0 },
        };

        fo_template_add(screen, top, values);
        fo_text_add(screen, mainstems[mainstem]);
        if (mainstem != FO_OFF)
                fo_template_add(screen, on_a_node, values);
        add_position(pipeline, fo_keeper_position(state, pipeline, delay_at > sync_at ? delay_at : sync_at),
                number_of(row[DELAY]), screen);
        if (mainstem == FO_WORKING && row[DELAY] && !fo_state_find(state, "empty", "analysisStageStat", NULL))
                add_flight(visit, pipeline, row, screen);
        fo_text_add(screen, bottom);
}

int fo_screen_stages(struct fo_visit *visit, struct fo_text *screen)
{
        ob_cleanup(fo_text_fini) struct fo_text sql = { 0 };
        int64_t pipeline = fo_visit_number(visit, "pipelineId", -1);
        MYSQL_RES *rows;
        MYSQL_ROW row;

        fo_text_addf(&sql, "%s%" PRId64, query, pipeline);
        rows = fo_db_select(&visit->db, sql.bytes);
        if (!rows)
                return -1;
        row = mysql_fetch_row(rows);
        if (row)
                add_all(visit, pipeline, row, screen);
        mysql_free_result(rows);
        return row ? 0 : -1;
}
