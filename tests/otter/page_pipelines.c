#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"
#include "tests/otter/figures.h"
#include "tests/otter/keeper.h"
#include "tests/otter/screens.h"
#include "tests/otter/template.h"

enum { ALARM_RULES_MOST = 4 };

enum { ID, NAME, DESCRIPTION, PARALLELISM, HOME, DELAY, DELAY_AT, SYNC_AT, NODES };

/* What of an absent key is the class's default; null is null. */
static const char query[] =
        "select p.ID, p.NAME, p.DESCRIPTION, ifnull(json_extract(p.PARAMETERS, '$.parallelism'), 3),"
        " ifnull(json_extract(p.PARAMETERS, '$.home'), 'false'),"
        " (select DELAY_TIME from DELAY_STAT d where d.PIPELINE_ID = p.ID"
        " order by GMT_MODIFIED desc, ID desc limit 1),"
        " (select unix_timestamp(GMT_MODIFIED) from DELAY_STAT d where d.PIPELINE_ID = p.ID"
        " order by GMT_MODIFIED desc, ID desc limit 1),"
        " (select unix_timestamp(GMT_MODIFIED) from THROUGHPUT_STAT t where t.PIPELINE_ID = p.ID"
        " and TYPE = 'ROW' order by END_TIME desc, ID desc limit 1),"
        " (select count(*) from NODE)"
        " from PIPELINE p where p.CHANNEL_ID = ";

static const char top[] =
        "<script type=\"text/javascript\" src=\"js/trcolor.js\"></script>\n"
        "<script language=\"javascript\">\n"
        "    <!--\n"
        "\tchangeNav(\"sync\");\n"
        "    $(function () {\n"
        "        $('.bubbleInfo').each(function () {\n"
        "            var trigger = $('.trigger', this);\n"
        "            var info = $('.popup', this).css('opacity', 0);\n"
        "        });\n"
        "    });\n"
        "    //-->\n"
        "</script>\n"
        "\n"
        "<div class=\"main\">\n"
        "  <div class=\"title\"> \n"
        "    <h2>Pipeline管理</h2>\n"
        "  </div>\n"
        "  <div class=\"crumbs\"><a href=\"channelList.htm?channelId=$channel\">channel管理</a>"
        "&nbsp;&nbsp;>&nbsp;&nbsp;<a href=\"pipelineList.htm?channelId=$channel\">Pipeline管理</a></div>\n"
        "  <div class=\"crumbs\"></div>     \n"
        "<!--列表-->\n"
        " \n"
        "        <table border=\"0\" cellspacing=\"0\" cellpadding=\"0\" class=\"list changecolor_g\">\n"
        "          <tr> \n"
        "            <th width=\"3%\">序号</th>\n"
        "            <th width=\"6%\">Pipeline名字</th>\n"
        "\t\t\t<th width=\"3%\">并行度</th>\n"
        "\t\t\t<th width=\"3%\">主站点</th>\n"
        "\t\t\t<th width=\"5%\">mainstem状态</th>\n"
        "\t\t\t<th width=\"5%\">延迟时间</th>\n"
        "\t\t\t<th width=\"8%\">最后同步时间</th>\n"
        "\t\t\t<th width=\"8%\">最后位点时间</th>\n"
        "\t\t\t<th width=\"3%\">监控数</th>\n"
        "        \t<th width=\"20%\">操作</th>\n"
        "          </tr>\n"
        "          <tr> \n";

/* The row that the header has left open; the next one begins with nothing at all. */
static const char row[] =
        "\t\t\t      <td width=\"3%\">$id</td>\n"
        "      <td width=\"6%\">\n"
        "      <div class=\"bubbleInfo\">\n"
        "         <a href=\"dataMediaPairList.htm?pipelineId=$id\" id=\"download\" class=\"trigger\">$name</a>\n"
        "         <div class=\"popup\">\n"
        "         <div class=\"pop_tips_mid\">\n"
        "          <div class=\"pop_tips_font\">$!description</div>\n"
        "         </div>\n"
        "         </div>\n"
        "      </div>      \n"
        "      </td>\n"
        "\t  <td width=\"3%\">$pipeline.parameters.parallelism</td>\n"
        "\t  <td width=\"3%\">$pipeline.parameters.home</td>\n"
        "\t  <td width=\"5%\">\n"
        "\t\t\t\t    \t\t    \t\t\t$mainstem\n"
        "    \t\t\t\t\t  </td>\n"
        "\t  <td width=\"5%\">$delay</td>\n"
        "\t  \t  <td width=\"8%\">$sync</td>\n"
        "\t  \t  <td width=\"8%\">$position</td>\n"
        "\t  <td width=\"3%\">$alarms</td>\n"
        "\t  <td>\n"
        "\t\t\t\t<a href=\"$site/pipeline_info.htm?pipelineId=$id\"><img src=\"images/ico_edit.png\" width=\"13\""
        " height=\"13\" /><span class=\"ico_font\">查看</span></a>\n"
        "\t\t\t\t<span class=\"ico_line\">|</span><a href=\"$site/alarm_rule_list.htm?pipelineId=$id&amp;"
        "channelId=$channel\"><img src=\"images/ico_edit.png\" width=\"13\" height=\"13\" />"
        "<span class=\"ico_font\">监控</span></a>\n";

/* For administrators, when the channel is stopped. */
static const char change_links[] =
        "\t\t\t\t<span class=\"ico_line\">|</span><a href=\"$site/edit_pipeline.htm?pipelineId=$id\">"
        "<img src=\"images/ico_edit.png\" width=\"13\" height=\"13\" /><span class=\"ico_font\">编辑</span></a>\n"
        "\t\t\t\t<span class=\"ico_line\">|</span><a href=\"javascript:if(confirm('确实要删除吗?'))location='$site/"
        "pipeline_list.htm?action=pipelineAction&amp;pipelineId=$id&amp;eventSubmitDoDelete=true'\">"
        "<img src=\"images/ico_del.png\" width=\"9\" height=\"9\"  /><span class=\"ico_font\">删除</span></a>\n";

static const char row_end[] = "\t\t\t  </td>\n"
                              "      \n"
                              "    </tr>\n";

static const char bottom[] = "\t\t          </table>\n"
                             "\t\t        \n"
                             "</div>\n";

static const char *const mainstems[] = {
        [FO_OFF] = "<font color=\"#FF0000\">未工作</font>",
        [FO_LOCATING] = "<font color=\"#FF0000\">定位中</font>",
        [FO_WORKING] = "工作中",
};

static int64_t number_of(const char *text)
{
        return text ? strtoll(text, NULL, 10) : 0;
}

static const char *null_of(const char *json)
{
        return strcmp(json, "null") == 0 ? NULL : json;
}

static void add_row(const struct fo_visit *visit, const char *channel, MYSQL_ROW pipeline, struct fo_text *screen)
{
        const struct fo_state *state = &visit->state;
        char figures[4][FO_FIGURE_SIZE];
        int64_t id = number_of(pipeline[ID]);
        int64_t of = strtoll(channel, NULL, 10);
        int64_t sync = number_of(pipeline[SYNC_AT]);
        int64_t newest = number_of(pipeline[DELAY_AT]) > sync ? number_of(pipeline[DELAY_AT]) : sync;
        bool comma = fo_state_find(state, "decimal", "comma", NULL);
        enum fo_mainstem mainstem = fo_keeper_mainstem(state, id, of, number_of(pipeline[NODES]));
        const struct fo_value values[] = {
                { .name = "site", .value = visit->site->address, .raw = true },
                { .name = "channel", .value = channel },
                { .name = "id", .value = pipeline[ID] },
                { .name = "name", .value = pipeline[NAME] },
                { .name = "description", .value = pipeline[DESCRIPTION] },
                { .name = "pipeline.parameters.parallelism", .value = null_of(pipeline[PARALLELISM]) },
                { .name = "pipeline.parameters.home", .value = null_of(pipeline[HOME]) },
                { .name = "mainstem", .value = mainstems[mainstem], .raw = true },
                /* Who has never reported has no delay, and who has none has 0: nobody can tell. */
                { .name = "delay", .value = fo_figure_delay(figures[0], number_of(pipeline[DELAY]), comma) },
                { .name = "sync",
                        .value = fo_figure_date(figures[1], sync ? sync + fo_state_number(state, "skew") : 0) },
                { .name = "position", .value = fo_figure_date(figures[2], fo_keeper_position(state, id, newest)) },
                { .name = "alarms", .value = fo_figure_plain(figures[3], id % ALARM_RULES_MOST) },
                { 0 },
        };

        fo_template_add(screen, row, values);
        if (visit->viewer[0] && fo_keeper_channel(state, of) == FO_STOPPED)
                fo_template_add(screen, change_links, values);
        fo_text_add(screen, row_end);
}

static int add_rows(struct fo_visit *visit, const char *channel, struct fo_text *screen)
{
        ob_cleanup(fo_text_fini) struct fo_text sql = { 0 };
        int64_t only = fo_visit_number(visit, "pipelineId", 0);
        MYSQL_RES *rows;
        MYSQL_ROW pipeline;

        fo_text_addf(&sql, "%s%s", query, channel);
        if (only)
                fo_text_addf(&sql, " and p.ID = %" PRId64, only);
        if (fo_state_find(&visit->state, "empty", "pipelineList", NULL))
                fo_text_add(&sql, " and false");
        fo_text_add(&sql, " order by p.ID");
        rows = fo_db_select(&visit->db, sql.bytes);
        if (!rows)
                return -1;
        while ((pipeline = mysql_fetch_row(rows)))
                add_row(visit, channel, pipeline, screen);
        mysql_free_result(rows);
        return 0;
}

static bool there_is(struct fo_visit *visit, const char *channel)
{
        ob_cleanup(fo_text_fini) struct fo_text sql = { 0 };
        long long count = 0;

        fo_text_addf(&sql, "select count(*) from CHANNEL where ID = %s", channel);
        return !fo_db_number(&visit->db, sql.bytes, &count) && count;
}

int fo_screen_pipelines(struct fo_visit *visit, struct fo_text *screen)
{
        char channel[FO_FIGURE_SIZE];
        const struct fo_value values[] = {
                { .name = "channel", .value = fo_figure_plain(channel, fo_visit_number(visit, "channelId", -1)) },
                { 0 },
        };

        if (!there_is(visit, channel))
                return -1;
        fo_template_add(screen, top, values);
        if (add_rows(visit, channel, screen))
                return -1;
        fo_text_add(screen, bottom);
        return 0;
}
